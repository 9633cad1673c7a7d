internal import Glibc
internal import Kernels

/// Chooses a token from logits: greedy, or at random with temperature, top-k and top-p.
///
/// The same seed and logits give the same tokens on every machine with the same arithmetic; equal logits rank by the lower id.
package struct Sampler: Sendable {
    /// 0: the most probable token, always.
    package let temperature: Float
    /// Only the k most probable tokens; 0: all.
    package let topK: Int
    /// Of these only the most probable whose probabilities reach p together; 1: all.
    package let topP: Float
    private var state: UInt64

    package init(temperature: Float = 0, topK: Int = 0, topP: Float = 1, seed: UInt64 = 0) {
        precondition(temperature >= 0 && topK >= 0 && topP >= 0, "\(temperature), \(topK), \(topP)")
        (self.temperature, self.topK, self.topP) = (temperature, topK, topP)
        state = seed
    }

    package static let greedy = Sampler()

    /// Whether only the largest logit counts.
    package var isGreedy: Bool { temperature == 0 || topK == 1 }

    /// - Parameter logits: At least one. What is no number is never chosen, unless nothing is: then it is token 0.
    package mutating func next(_ logits: Span<Float>) -> Int {
        let best = largestIndex(logits)
        guard temperature > 0, logits[best].isFinite else { return best }
        if topK == 1 { return best }
        let ranked = isCut(logits.count) ? candidates(logits) : Array(0..<logits.count)
        let largest = logits[best]
        var weights = ranked.map { id in
            logits[id].isNaN ? 0 : exp(Double((logits[id] - largest) / temperature))
        }
        if topP < 1 { trim(&weights) }
        var left = uniform() * weights.reduce(0, +)
        for (id, weight) in zip(ranked, weights) {
            if left < weight { return id }
            left -= weight
        }
        // Rounding may leave a crumb: it goes to the last that can be chosen.
        return weights.lastIndex { $0 > 0 }.map { ranked[$0] } ?? best
    }

    private func isCut(_ count: Int) -> Bool { topP < 1 || (topK > 0 && topK < count) }

    /// Ids by falling logit, at most k of them.
    private func candidates(_ logits: Span<Float>) -> [Int] {
        let keep = topK > 0 ? min(topK, logits.count) : logits.count
        // Twice as many are gathered before sorting, and what cannot be among the best is passed over at once.
        var (gathered, floor): ([(logit: Float, id: Int)], Float) = ([], -.infinity)
        func sortAndCut() {
            gathered.sort { $0.logit > $1.logit || ($0.logit == $1.logit && $0.id < $1.id) }
            if gathered.count >= keep {
                gathered.removeLast(gathered.count - keep)
                floor = gathered[keep - 1].logit
            }
        }
        for id in logits.indices where logits[id] > floor || gathered.count < keep && !logits[id].isNaN {
            gathered.append((logits[id], id))
            if gathered.count >= 2 * keep + 64 { sortAndCut() }
        }
        sortAndCut()
        return gathered.map(\.id)
    }

    /// Sets to 0 all weights behind the first that reach p together.
    private func trim(_ weights: inout [Double]) {
        let wanted = Double(topP) * weights.reduce(0, +)
        var sum = 0.0
        for index in weights.indices {
            if index > 0, sum >= wanted { weights[index] = 0 } else { sum += weights[index] }
        }
    }

    /// In 0..<1, by SplitMix64 (Steele et al. 2014).
    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }
}

/// The first place of the largest number; 0 with nothing but NaN.
func largestIndex(_ numbers: Span<Float>) -> Int {
    let grain = 512
    var (largest, first) = (-Float.infinity, 0)
    for start in stride(from: 0, to: numbers.count, by: grain) {
        let most = maximum(numbers.extracting(start..<min(start + grain, numbers.count)))
        if most > largest { (largest, first) = (most, start) }
    }
    return (first..<min(first + grain, numbers.count)).first { numbers[$0] == largest } ?? 0
}
