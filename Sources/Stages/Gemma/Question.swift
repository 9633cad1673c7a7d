package import Media
package import Speech
import Synchronization

/// The story of an answer, in order, ending in exactly one `final`.
package enum AnswerUpdate: Sendable {
    /// What is new of the text.
    case delta(ask: Int, text: String)
    case final(ask: Int, text: String)
}

/// What was said lately: what questions may be about.
package final class RecentSpeech: Sendable {
    private struct Line {
        let end: MediaTime
        let text: String
    }

    /// Older lines are forgotten.
    package static let memory = MediaTime(milliseconds: 600_000)

    private let lines = Mutex<[Line]>([])

    package init() {}

    package func add(_ final: TranscriptUpdate.Final) {
        lines.withLock { lines in
            lines.append(Line(end: final.end, text: final.text))
            lines.removeAll { $0.end < final.end - Self.memory }
        }
    }

    package func forget() { lines.withLock { $0 = [] } }

    /// What ended in the last `length` before `now`, a line an utterance.
    package func text(last length: MediaTime, before now: MediaTime) -> String {
        lines.withLock { lines in
            lines.filter { $0.end >= now - length }.map(\.text).joined(separator: "\n")
        }
    }
}
