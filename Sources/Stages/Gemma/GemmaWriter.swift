package import Gemma
import Graph
package import Kernels
import Layers

/// Writes answers of a Gemma, a quantum at a time: prompts go in layer by layer, answers come out token by token.
package final class GemmaWriter {
    private enum Phase {
        case idle
        case reading(GemmaRun, limit: Int)
        case writing(GemmaAnswer)
    }

    private let gemma: OpenedGemma
    private let decoder: GemmaDecoder
    private let chat: GemmaChat
    private let state: GemmaState
    private var phase = Phase.idle
    package private(set) var text = ""
    package private(set) var tokens = 0

    /// - Parameter positions: Most tokens of a prompt and its answer.
    /// - Throws: `GemmaError`, `TokenizerError`, `WeightsError`.
    package init(_ gemma: OpenedGemma, slice: String?, positions: Int, pool: ThreadPool) throws {
        self.gemma = gemma
        chat = try gemma.chat()
        decoder = GemmaDecoder(weights: try gemma.text(slice: slice), pool: pool)
        var options = GemmaStateOptions()
        options.positions = positions
        if gemma.isFloat { options.storage = .float32 }
        state = decoder.makeState(options)
    }

    package var isIdle: Bool { if case .idle = phase { true } else { false } }

    /// Begins to answer `prompt`, about a picture if there is one.
    ///
    /// - Parameter picture: [tokens, text width].
    /// - Throws: `GemmaError.tooLong`; what hard embeddings need.
    package func begin(_ prompt: String, picture: Tensor<Float>?, limit: Int) throws {
        (text, tokens) = ("", 0)
        let image = picture.map { [GemmaChat.Part.image(tokens: $0.rows)] } ?? []
        let turn = chat.prompt([GemmaChat.Turn(.user, image + [.text(prompt)])])
        state.truncate(to: 0)
        let input = try GemmaPrompt(
            turn.ids, config: gemma.model.config, softTokens: picture.map { [$0] } ?? [],
            hardEmbedding: gemma.hardEmbedding)
        phase = .reading(try decoder.begin(input, state: state), limit: limit)
    }

    /// Gives up the answer and its text.
    package func abandon() { (phase, text, tokens) = (.idle, "", 0) }

    /// Does one quantum.
    /// - Returns: What is new of the text; nil: the answer is finished.
    package func advance() throws -> String? {
        switch phase {
        case .idle: return nil
        case .reading(let run, let limit):
            if run.advance() {
                phase = .writing(GemmaAnswer(decoder: decoder, state: state, chat: chat, limit: limit))
            }
            return ""
        case .writing(var answer):
            let piece = try answer.next()
            tokens = answer.ids.count
            text += piece ?? ""
            phase = answer.end == nil ? .writing(answer) : .idle
            return answer.end == nil ? piece ?? "" : piece
        }
    }
}
