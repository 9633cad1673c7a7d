import Capture
import Graph
import Media

extension StageKind {
    /// `image_files { path, fps, pace: realtime | fast, loop }`
    static func imageFiles(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "image_files", summary: "Shows picture files: a JPEG, a folder of JPEGs, an MJPEG stream.",
            output: VideoFrame.port,
            settings: [
                .required("path", .path, "a JPEG, a folder of JPEGs, an MJPEG or multipart stream"),
                .optional("fps", .number(FrameTimes.rates), default: .number(5), "pictures a second"),
                .optional("pace", .choice(Pace.allCases.map(\.rawValue)), default: .string("realtime"), "its speed"),
                .optional("loop", .boolean, default: .boolean(false), "begin again at the end")
            ],
            pace: { $0.string("pace") == "fast" ? .fast : .paced },
            notes: { settings in
                do throws(CaptureError) {
                    try checkPictures(settings)
                    return []
                } catch { return ["\(error)"] }
            },
            make: { settings, context in
                try checkPictures(settings)  // what can't be read is said before anything starts
                return .source(
                    RecordedPictures(environment: environment) {
                        try ImageFiles(
                            path: settings.path("path"), framesPerSecond: settings.number("fps"),
                            loops: settings.boolean("loop"),
                            report: { environment.report("\(context.stage): \($0)") })
                    })
            })
    }
}

/// Reads as far as the first picture.
private func checkPictures(_ settings: StageSettings) throws(CaptureError) {
    var pictures = try ImageFiles(path: settings.path("path"))
    _ = try pictures.next()
}
