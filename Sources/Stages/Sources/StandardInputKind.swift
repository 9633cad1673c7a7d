import Capture
import Graph
import Media

extension StageKind {
    /// `stdin_pcm { rate_hz, channels, format }`
    static func standardInput(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "stdin_pcm", summary: "Reads raw samples from standard input.", output: AudioBlock.port,
            settings: [
                .optional("rate_hz", .integer(SoundLimits.rateHz), default: .integer(16_000), "frames a second"),
                .optional("channels", .integer(SoundLimits.channels), default: .integer(1), "interleaved channels"),
                .optional(
                    "format", .choice(SampleFormat.allCases.map(\.rawValue)), default: .string("s16le"),
                    "how a sample lies in memory")
            ],
            // A pipe is read when the graph has room: whoever writes it waits, so nothing is lost.
            pace: { _ in .fast },
            make: { settings, _ in
                let format = AudioFormat(
                    rateHz: settings.integer("rate_hz"), channels: settings.integer("channels"),
                    sampleFormat: SampleFormat(rawValue: settings.string("format")) ?? .s16)
                return .source(SoundStage { try PCMStdin(format: format) })
            })
    }
}
