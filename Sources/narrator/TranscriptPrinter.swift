import Daemon
import Events
import Foundation
import Media
import Speech

/// Prints what files gave: data to stdout, errors where the format wants them.
struct TranscriptPrinter {
    private let format: TranscriptFormat
    private let model: String
    private let output = StandardOutput()

    init(format: TranscriptFormat, model: String) {
        self.format = format
        self.model = model
    }

    func show(_ result: FileResult, of file: String) throws {
        switch format {
        case .text: try output.write(result.text + "\n")
        case .json: try output.write(json(result, file: file).line)
        case .srt: try write(result, as: .srt)
        case .vtt: try write(result, as: .vtt)
        }
    }

    /// A file that failed: others go on.
    func show(_ failure: CommandFailure, of file: String) throws {
        try failure.show(of: file, asJSON: format == .json, to: output)
    }

    /// Each file is a list of subtitles of its own.
    private func write(_ result: FileResult, as kind: SubtitleWriter.Format) throws {
        var writer = SubtitleWriter(format: kind)
        try output.write(writer.header)
        for segment in result.segments {
            try output.write(
                writer.cue(
                    startMs: segment.start.milliseconds, endMs: segment.end.milliseconds, text: segment.text))
        }
    }

    private func json(_ result: FileResult, file: String) -> JSONValue {
        var members: JSONObject = [
            "file": .string(file), "model": .string(model), "language": .string(result.language),
            "text": .string(result.text),
            "segments": .array(
                result.segments.map {
                    [
                        "start_ms": .int($0.start.milliseconds), "end_ms": .int($0.end.milliseconds),
                        "text": .string($0.text)
                    ]
                }),
            "audio_s": .double(result.audio.roundedSeconds), "compute_s": .double(result.compute.roundedSeconds)
        ]
        if let live = result.live {
            members["partials"] = .int(live.partials)
            members["retractions"] = .int(live.retractions)
            members["first_partial_ms"] = live.firstPartialMs.map { .int($0) } ?? .null
            members["final_latency_ms"] = live.finalLatencyMs.map { .int($0) } ?? .null
        }
        return .object(members)
    }
}
