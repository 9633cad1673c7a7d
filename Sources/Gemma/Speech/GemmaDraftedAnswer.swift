import Glibc
import Kernels
import Speech

/// An answer that begins with checking a guess: as much of it as the model would have said itself is kept, at the price of
/// one batch.
struct GemmaDraftedAnswer {
    /// Tokens of the answer behind what was forced, without the one that ends it.
    private(set) var ids: [Int] = []
    private(set) var isFinished = false
    /// It was cut, because it said the same again and again.
    private(set) var isLoop = false
    /// Sum of the log-probabilities of the tokens that were chosen anew, the last one included, and how many they are.
    private var logProbabilities: (sum: Float, count: Int) = (0, 0)
    private let limit: Int
    private let endTokens: Set<Int>
    private let logits: GemmaLogits
    private let choose: (_ logits: Span<Float>, _ index: Int) -> Int

    static var nothing: GemmaDraftedAnswer { GemmaDraftedAnswer() }

    private init() { (limit, endTokens, logits, choose, isFinished) = (0, [], .all, { _, _ in 0 }, true) }

    /// - Parameters:
    ///   - state: Behind the guess, with logits for each of its tokens and the next one.
    ///   - limit: Most tokens.
    ///   - logits: What `choose` needs of further ones.
    init(
        guess: [Int], state: GemmaState, limit: Int, endTokens: Set<Int>, logits: GemmaLogits,
        choose: @escaping (_ logits: Span<Float>, _ index: Int) -> Int
    ) {
        (self.limit, self.endTokens, self.logits, self.choose) = (limit, endTokens, logits, choose)
        for (row, id) in guess.enumerated() {
            let wanted = choose(state.textLogits(row), row)
            if wanted == id {
                ids.append(id)
                continue
            }
            // The cache keeps what both agree on.
            state.truncate(to: state.count - (guess.count - row))
            take(wanted, of: state.textLogits(row))
            return
        }
        take(choose(state.textLogits(guess.count), guess.count), of: state.textLogits(guess.count))
    }

    /// Runs the last token and chooses the next.
    mutating func step(_ decoder: GemmaDecoder, _ state: GemmaState) throws(GemmaError) {
        guard let last = ids.last, state.count < state.limit else { return isFinished = true }
        _ = try decoder.step(last, state: state, logits: logits)
        take(choose(state.textLogits(), ids.count), of: state.textLogits())
    }

    private mutating func take(_ id: Int, of logits: Span<Float>) {
        logProbabilities.sum += logits[id] - logSumExp(logits)
        logProbabilities.count += 1
        if endTokens.contains(id) { return isFinished = true }
        ids.append(id)
        if let period = LoopGuard.loopLength(ids) {
            var first = ids.count - period
            while first >= period, ids[first - period..<first].elementsEqual(ids[(ids.count - period)...]) {
                first -= period
            }
            ids.removeLast(ids.count - first - period)
            (isLoop, isFinished) = (true, true)
        }
        if ids.count >= limit { isFinished = true }
    }

    var meanLogProbability: Float {
        logProbabilities.count == 0 ? 0 : logProbabilities.sum / Float(logProbabilities.count)
    }

    /// Mean probability of a token, 0...1.
    var confidence: Float { exp(meanLogProbability) }
}
