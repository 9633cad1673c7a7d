/// Writes finals as subtitles: `header`, then `cue` by `cue`.
package struct SubtitleWriter: Sendable {
    package enum Format: String, Sendable {
        /// SubRip.
        case srt
        /// WebVTT (W3C).
        case vtt
    }

    private let format: Format
    private var cues = 0

    package init(format: Format) { self.format = format }

    /// What stands before the first cue.
    package var header: String { format == .vtt ? "WEBVTT\n\n" : "" }

    /// One numbered cue with the empty line behind it; nothing for a text without words.
    ///
    /// A cue lasts at least one millisecond: players refuse one that ends where it starts.
    package mutating func cue(startMs: Int, endMs: Int, text: String) -> String {
        let text = escaped(text)
        guard !text.isEmpty else { return "" }
        cues += 1
        let fraction = format == .srt ? "," : "."
        let start = max(0, startMs)
        let times = [start, max(endMs, start + 1)].map { clockTime($0, fraction: fraction) }
        return "\(cues)\n\(times[0]) --> \(times[1])\n\(text)\n\n"
    }

    package mutating func cue(_ final: FinalTranscript) -> String {
        cue(startMs: final.startMs, endMs: final.endMs, text: final.text)
    }

    /// A cue ends at an empty line, and an arrow in its text would read as its times.
    private func escaped(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { trimmed($0) }.filter { !$0.isEmpty }
        let text = lines.joined(separator: "\n")
        switch format {
        case .srt: return text.split(separator: "-->", omittingEmptySubsequences: false).joined(separator: "→")
        case .vtt:
            return String(
                text.flatMap { character -> [Character] in
                    switch character {
                    case "&": Array("&amp;")
                    case "<": Array("&lt;")
                    case ">": Array("&gt;")
                    default: [character]
                    }
                })
        }
    }
}

/// Without the blanks at both ends.
func trimmed(_ text: some StringProtocol) -> String {
    let head = text.drop(while: \.isWhitespace)
    guard let last = head.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(head[...last])
}

extension FinalTranscript {
    /// The text alone, as one line of a text file.
    package var line: String { trimmed(text.split(whereSeparator: \.isNewline).joined(separator: " ")) + "\n" }
}
