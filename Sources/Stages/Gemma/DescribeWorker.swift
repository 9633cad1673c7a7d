import Gemma
package import Graph
import Media
import Scenes

/// Gemma's decoder as a describer of pictures, which answers questions as well: a quantum is a layer of the prompt or a token
/// of the answer.
package final class DescribeWorker: Worker {
    private enum Subject {
        case scene(Scene)
        case question(Question)
    }

    private let writer: GemmaWriter
    private let prompt: String
    private let limit: Int
    private let tellsChangesOnly: Bool
    private var arrived: SeenFrame?
    private var work: (subject: Subject, arrival: MediaTime)?
    /// What was told last.
    private var before: String?

    /// Tokens that a prompt and its answer take at most.
    package static let positions = 4_096
    private static let answerTokens = 512

    /// - Parameters:
    ///   - writer: Has `positions`.
    ///   - prompt: What is asked of each picture.
    ///   - limit: Most tokens of a description.
    ///   - tellsChangesOnly: Descriptions behind the first say what is different from the one before.
    package init(_ writer: GemmaWriter, prompt: String, limit: Int, tellsChangesOnly: Bool) {
        (self.writer, self.prompt, self.limit, self.tellsChangesOnly) = (writer, prompt, limit, tellsChangesOnly)
    }

    package var urgency: Urgency {
        if case .question? = work?.subject { return .question }
        if case .question? = arrived?.subject { return .question }
        return .picture
    }

    package func offer(_ packet: Packet) throws { arrived = try packet.value(as: SeenFrame.self) }

    /// What was seen is not told any more: a description under way ends without a word.
    package func control(_ control: StageControl) throws {
        guard control == .forget else { return }
        before = nil
        if case .scene? = arrived?.subject { arrived = nil }
        if case .scene? = work?.subject { writer.abandon() }
    }

    package func work(_ output: Output) throws -> Progress {
        if let frame = arrived {
            arrived = nil
            try begin(frame, output)
            return .more
        }
        guard let (subject, arrival) = work else { return .idle }
        if let piece = try writer.advance(), !piece.isEmpty {
            switch subject {
            case .scene(let scene): output.send(SceneUpdate.delta(scene, text: piece))
            case .question(let question): output.send(AnswerUpdate.delta(ask: question.id, text: piece))
            }
        }
        guard writer.isIdle else { return .more }
        work = nil
        let text = writer.text.trimmed
        switch subject {
        case .scene(let scene):
            before = text.isEmpty ? nil : text
            output.send(
                SceneUpdate.final(
                    .init(scene: scene, text: text, tokens: writer.tokens, latency: MonotonicTime.now - arrival)))
        case .question(let question): output.send(AnswerUpdate.final(ask: question.id, text: text))
        }
        return .idle
    }

    private func begin(_ frame: SeenFrame, _ output: Output) throws {
        switch frame.subject {
        case .scene(let scene):
            output.send(SceneUpdate.started(scene))
            let words = tellsChangesOnly ? before.map { GemmaWording.changes(since: $0) } : nil
            try writer.begin(words ?? prompt, picture: frame.tokens, limit: limit)
            work = (.scene(scene), frame.arrival)
        case .question(let question):
            let words = GemmaWording.question(question.prompt, heard: question.heard)
            try writer.begin(words, picture: frame.tokens, limit: Self.answerTokens)
            work = (.question(question), frame.arrival)
        }
    }
}

extension String {
    /// Without white space at its ends.
    package var trimmed: String {
        let from = drop(while: \.isWhitespace)
        return String(from.prefix(from.count - from.reversed().prefix(while: \.isWhitespace).count))
    }
}
