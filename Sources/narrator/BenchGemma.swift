import Foundation
import Gemma
import Kernels
import Layers

/// The table of a Gemma's model card.
struct GemmaBench {
    /// The prompt of the first figure, a start to the first token.
    private static let startTokens = 16

    let path: String
    let weights: GemmaWeightFormat?
    let slice: String?
    let prefill: Int
    let decode: Int
    /// Positions of the cache; nil: as the model card has it, or what the tokens need.
    let context: Int?
    let pool: ThreadPool
    let common: CommonOptions

    /// A Gemma that is ready to be asked.
    private struct Ready {
        let loaded: OpenedGemma
        let weights: GemmaTextWeights
        let decoder: GemmaDecoder
        let state: GemmaState
    }

    /// - Returns: The model that was measured: the one at `path`, or a quantised copy.
    func measure(into report: inout BenchReport) throws -> OpenedGemma {
        try prepare()
        let (loadSeconds, ready) = try BenchStopwatch.time(load)
        let (decoder, state) = (ready.decoder, ready.state)
        let start = try BenchStopwatch.time { try firstToken(of: Self.startTokens, ready) }.seconds

        state.truncate(to: 0)
        let (prefill, decode) = fitting(state.limit)
        var (prefillSeconds, token) = try BenchStopwatch.time { try firstToken(of: prefill, ready) }
        var sampler = Sampler.greedy
        let decodeSeconds = try BenchStopwatch.time {
            for _ in 0..<decode {
                _ = try decoder.step(token, state: state, logits: .largest)
                token = sampler.next(state.textLogits())
            }
        }.seconds

        report.add("weights", "weights", .text(ready.loaded.storedFormat))
        report.add("model_bytes", "model on disk", .bytes(ready.loaded.model.byteCount))
        report.add("load_s", "load", .seconds(loadSeconds))
        report.add(
            "start_to_first_token_s", "load and first token behind \(min(Self.startTokens, state.limit))",
            .seconds(loadSeconds + start))
        report.add("prefill_tokens", "prompt tokens", .count(prefill))
        report.add(
            "prefill_tokens_per_s", "prefill", .rate(Double(prefill) / prefillSeconds, unit: "tokens/s"))
        report.add("time_to_first_token_s", "prompt to first token", .seconds(prefillSeconds))
        report.add("decode_tokens", "decoded tokens", .count(decode))
        report.add("decode_tokens_per_s", "decode", .rate(Double(decode) / decodeSeconds, unit: "tokens/s"))
        report.add("context_tokens", "cache positions", .count(state.limit))
        return ready.loaded
    }

    /// Makes what is made once, so that no figure has it in.
    private func prepare() throws {
        guard try GemmaModel(path).form != .container else { return }
        _ = try load()
        BenchStopwatch.resetPeak()
    }

    /// From opening the files to where a question could be read.
    private func load() throws -> Ready {
        let loaded = try OpenedGemma(path, weights: weights, pool: pool, isQuiet: common.quiet)
        _ = try? loaded.model.tokenizer()  // a checkpoint without one can be measured, though not asked
        let text = try loaded.text(slice: slice)
        let decoder = GemmaDecoder(weights: text, pool: pool)
        var options = GemmaStateOptions()
        if loaded.isFloat { options.storage = .float32 }
        options.positions = context ?? max(4_096, prefill + decode)
        return Ready(loaded: loaded, weights: text, decoder: decoder, state: decoder.makeState(options))
    }

    private func firstToken(of count: Int, _ ready: Ready) throws -> Int {
        let vocabulary = ready.weights.config.textVocabulary
        // All over the table of embeddings: a stride that shares no factor with the number of tokens.
        let ids = (0..<min(count, ready.state.limit)).map { (2 + $0 * 7_919) % vocabulary }
        try ready.decoder.prefill(GemmaPrompt(ids), state: ready.state)
        var sampler = Sampler.greedy
        return sampler.next(ready.state.textLogits())
    }

    /// What a model of few positions has room for.
    private func fitting(_ limit: Int) -> (prefill: Int, decode: Int) {
        let fits = prefill + decode <= limit
        let prompt = fits ? prefill : min(prefill, max(limit - decode, limit * 3 / 4))
        let rest = fits ? decode : min(decode, limit - prompt)
        if !common.quiet, !fits || limit < context ?? 0 {
            writeError(
                "narrator: the model has \(limit) positions: \(prompt) tokens are prompt and \(rest) are decoded.\n")
        }
        return (prompt, rest)
    }
}
