import Capture
import Graph
import Media

extension StageKind {
    /// `v4l2 { device, size, fps, format }`
    static func v4l2(_ environment: StageEnvironment) -> StageKind {
        let formats = PixelFormat.preferred.map(\.rawValue)
        return StageKind(
            name: "v4l2", summary: "A camera.", output: VideoFrame.port,
            settings: [
                .optional(
                    "device", .string, default: .string("/dev/video0"),
                    "a node, or a name of /dev/v4l/by-id; `narrator devices` lists them"),
                .optional("size", .size, "what to ask for"),
                .optional("fps", .number(PictureLimits.framesPerSecond), "what to ask for; more is thinned out"),
                .optional(
                    "format", .choice(["auto"] + formats), default: .string("auto"),
                    "how the camera is to deliver; auto takes the first that it has")
            ],
            pace: { _ in .live },
            notes: { [DeviceList.obstacle(camera: $0.string("device"))].compactMap { $0 } },
            make: { settings, _ in
                let request = CameraRequest(
                    device: settings.string("device"), size: settings["size"]?.size,
                    framesPerSecond: settings["fps"]?.number, format: PixelFormat(rawValue: settings.string("format")))
                return .source(CameraStage(request: request, environment: environment))
            })
    }
}
