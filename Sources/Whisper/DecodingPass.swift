import Glibc
import Kernels
import Speech

/// What one pass over a window gave.
struct DecodedWindow {
    /// Output tokens, forced ones included, without the end of text.
    var tokens: [Int]
    /// Log-probability of each of `tokens` that was chosen here, 0 for forced ones.
    var logProbabilities: [Float]
    /// Tokens that were forced.
    var forced: Int
    /// Mean log-probability of the chosen tokens, end of text counted.
    var meanLogProbability: Float
    var noSpeechProbability: Float
    /// The pass ended in a loop that was cut off.
    var looped: Bool
    /// Cross-attention by which each of `tokens` was predicted: [tokens][positions].
    var alignment: [[Float]]
}

/// One pass of the decoder over one window at one temperature, a step at a time.
final class DecodingPass {
    struct Request {
        var prompt: [Int]
        /// Output that stands: it is fed, not chosen.
        var forced: [Int]
        /// Output that the last pass chose: it is checked in one batch, and kept as far as it would be chosen again.
        var guess: [Int] = []
        var temperature: Float
        /// Most tokens of output.
        var limit: Int
        var wantsNoSpeech: Bool
    }

    private enum Choice { case token, over(DecodedWindow) }

    private let decoder: WhisperDecoder
    private let special: SpecialTokens
    private let rules: LogitRules
    private let request: Request
    private var output: [Int]
    private var logProbabilities: [Float]
    private var sum: Float = 0
    private var chosen = 0
    private var noSpeech: Float = 0
    private var random: Sampler
    private var started = false

    init(decoder: WhisperDecoder, special: SpecialTokens, rules: LogitRules, request: Request) {
        (self.decoder, self.special, self.rules, self.request) = (decoder, special, rules, request)
        output = request.forced
        logProbabilities = Array(repeating: 0, count: request.forced.count)
        random = Sampler(seed: UInt64(request.temperature * 10))
    }

    /// Chooses one token, or as many as were guessed right. The result once the pass is over.
    func advance() -> DecodedWindow? {
        guard started else {
            started = true
            return begin()
        }
        if case .over(let window) = choose(from: decoder.forward([output[output.count - 1]]), row: 0) { return window }
        return nil
    }

    /// Feeds prompt, forced output and guess at once, and goes along the guess as long as it would be chosen.
    private func begin() -> DecodedWindow? {
        decoder.truncate(to: 0)
        let guess = Array(request.guess.prefix(WhisperDecoder.maxLogitRows - 1))
        let known = request.prompt.count + request.forced.count
        decoder.run(request.prompt + request.forced + guess)
        if request.wantsNoSpeech, let start = request.prompt.firstIndex(of: special.startOfTranscript) {
            let logits = decoder.logits(afterRows: start..<start + 1).row(0)
            noSpeech = exp(logits[special.noSpeech] - logSumExp(logits))
        }
        let logits = decoder.logits(afterRows: known - 1..<known + guess.count)
        for row in 0...guess.count {
            if case .over(let window) = choose(from: logits, row: row) { return window }
            if row < guess.count, output[output.count - 1] != guess[row] {
                decoder.truncate(to: known + row)
                break
            }
        }
        return nil
    }

    private func choose(from logits: Tensor<Float>, row: Int) -> Choice {
        var scores = logits.mutableRow(row)
        rules.apply(to: &scores, after: output)
        let token: Int
        if request.temperature == 0 {
            token = indexOfMaximum(scores.span)
        } else {
            token = random.sample(scores.span, temperature: request.temperature)
        }
        let logProbability = scores[token] - logSumExp(scores.span)
        sum += logProbability
        chosen += 1
        if token == special.endOfText { return .over(result(looped: false)) }
        output.append(token)
        logProbabilities.append(logProbability)
        if let period = LoopGuard.loopLength(output.filter(special.isText)) {
            cutLoop(period: period)
            return .over(result(looped: true))
        }
        let full = decoder.count + 1 >= decoder.capacity
        return output.count >= request.limit || full ? .over(result(looped: false)) : .token
    }

    private func cutLoop(period: Int) {
        let text = output.filter(special.isText)
        var repeats = 1
        while (repeats + 1) * period <= text.count,
            text.suffix(period) == text.dropLast(repeats * period).suffix(period)
        {
            repeats += 1
        }
        var excess = min((repeats - 1) * period, text.count)
        while excess > 0, output.count > request.forced.count, let last = output.popLast() {
            logProbabilities.removeLast()
            if special.isText(last) { excess -= 1 }
        }
    }

    private func result(looped: Bool) -> DecodedWindow {
        let first = request.prompt.count - 1
        let rows = decoder.alignment
        return DecodedWindow(
            tokens: output, logProbabilities: logProbabilities, forced: request.forced.count,
            meanLogProbability: chosen > 0 ? sum / Float(chosen) : 0, noSpeechProbability: noSpeech, looped: looped,
            alignment: output.indices.map { first + $0 < rows.count ? rows[first + $0] : [] })
    }
}

/// Draws tokens; the same seed draws the same.
struct Sampler {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    /// A token by softmax(logits / temperature).
    mutating func sample(_ logits: Span<Float>, temperature: Float) -> Int {
        let best = logits[indexOfMaximum(logits)]
        var total: Float = 0
        for index in logits.indices { total += exp((logits[index] - best) / temperature) }
        var rest = uniform() * total
        var lastPossible = 0
        for index in logits.indices where logits[index] > -.infinity {
            lastPossible = index
            rest -= exp((logits[index] - best) / temperature)
            if rest <= 0 { return index }
        }
        return lastPossible
    }

    private mutating func uniform() -> Float {
        state &+= 0x9E37_79B9_7F4A_7C15  // SplitMix64
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Float((z ^ (z >> 31)) >> 40) / Float(1 << 24)
    }
}

/// The first of the greatest values of a row.
func indexOfMaximum(_ row: Span<Float>) -> Int {
    let greatest = maximum(row)
    for index in row.indices where row[index] == greatest { return index }
    return 0
}
