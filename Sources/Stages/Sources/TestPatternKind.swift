import Capture
import Graph
import Media

extension StageKind {
    /// `test_pattern { size, fps, duration_s, pace }`
    static func testPattern(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "test_pattern", summary: "A box that moves over a field of colours.", output: VideoFrame.port,
            settings: [
                .optional("size", .size, default: .size(PixelSize(width: 640, height: 480)), "width and height"),
                .optional("fps", .number(FrameTimes.rates), default: .number(5), "pictures a second"),
                .optional("duration_s", .seconds(0...86_400), "its length; without end if not given"),
                .optional("pace", .choice(Pace.allCases.map(\.rawValue)), default: .string("realtime"), "its speed")
            ],
            pace: { $0.string("pace") == "fast" ? .fast : .paced },
            make: { settings, _ in
                let pattern = try TestPattern(
                    size: settings.size("size"), framesPerSecond: settings.number("fps"),
                    duration: settings["duration_s"]?.duration)
                return .source(RecordedPictures(environment: environment) { pattern })
            })
    }
}
