import Capture
import Graph
import Media

extension StageKind {
    /// `test_tone { rate_hz, duration_s, pace }`
    static func testTone(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "test_tone", summary: "A sine of 440 Hz.", output: AudioBlock.port,
            settings: [
                .optional("rate_hz", .integer(SoundLimits.rateHz), default: .integer(16_000), "frames a second"),
                .optional("duration_s", .seconds(0...86_400), "its length; without end if not given"),
                .optional("pace", .choice(Pace.allCases.map(\.rawValue)), default: .string("realtime"), "its speed")
            ],
            pace: { $0.string("pace") == "fast" ? .fast : .paced },
            make: { settings, _ in
                let pace = Pace(rawValue: settings.string("pace")) ?? .realtime
                let (rateHz, duration) = (settings.integer("rate_hz"), settings["duration_s"]?.duration)
                return .source(
                    SoundStage {
                        try TestTone(rateHz: rateHz, duration: duration, pace: pace)
                    })
            })
    }
}
