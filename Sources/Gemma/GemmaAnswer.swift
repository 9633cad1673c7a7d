package import Layers
import Tokenizers

/// The answer to a prompt that `state` holds, token by token.
///
/// A token is run only when the next one is wanted: the one that ends an answer never is, and `GemmaChat.continuation`
/// writes it before a further turn.
package struct GemmaAnswer {
    package enum End: Sendable { case turn, tokenLimit, contextLimit }

    private let decoder: GemmaDecoder
    private let state: GemmaState
    private let endTokens: Set<Int>
    private let limit: Int
    private var sampler: Sampler
    private var text: TokenText
    /// Its tokens so far.
    package private(set) var ids: [Int] = []
    /// Why it ended; nil while it goes on.
    package private(set) var end: End?

    /// - Parameters:
    ///   - state: With the logits behind the prompt.
    ///   - limit: Most tokens.
    package init(decoder: GemmaDecoder, state: GemmaState, chat: GemmaChat, sampler: Sampler = .greedy, limit: Int) {
        (self.decoder, self.state, self.sampler, self.limit) = (decoder, state, sampler, limit)
        endTokens = chat.endTokens
        text = TokenText(chat.tokenizer)
    }

    /// The text that the next token completes, which may be none; nil at the end.
    /// - Throws: `GemmaError`.
    package mutating func next() throws(GemmaError) -> String? {
        if end != nil { return nil }
        let state = state
        if ids.count == limit { return finish(.tokenLimit) }
        if let last = ids.last {
            if state.count == state.limit { return finish(.contextLimit) }
            _ = try decoder.step(last, state: state, logits: sampler.isGreedy ? .largest : .all)
        }
        let id = sampler.next(state.textLogits())
        if endTokens.contains(id) { return finish(.turn) }
        ids.append(id)
        return text.append(id)
    }

    /// What a cut character left behind.
    private mutating func finish(_ end: End) -> String? {
        self.end = end
        let rest = text.finish()
        return rest.isEmpty ? nil : rest
    }
}
