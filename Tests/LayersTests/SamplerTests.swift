import Layers
import TestSupport
import Testing

struct SamplerTests {
    private func draw(_ logits: [Float], _ sampler: Sampler, count: Int = 20_000) -> [Int] {
        var sampler = sampler
        return (0..<count).map { _ in sampler.next(logits.span) }
    }

    private func share(_ drawn: [Int], of id: Int) -> Double { Double(drawn.count { $0 == id }) / Double(drawn.count) }

    @Test func greedyTakesTheLowestOfTheBest() {
        #expect(draw([1, 3, 2, 3, 3], .greedy, count: 3) == [1, 1, 1])
        #expect(draw([1, 3, 2, 3], Sampler(temperature: 2, topK: 1), count: 2) == [1, 1])
    }

    @Test func frequenciesAreTheProbabilities() {
        let logits: [Float] = [0, 1, 2, -1]
        let drawn = draw(logits, Sampler(temperature: 0.5, seed: 3))
        // exp(2x) / Σ: 1, e², e⁴, e⁻²
        for (id, expected) in [0.0158, 0.1167, 0.8628, 0.0021].enumerated() {
            #expect(abs(share(drawn, of: id) - expected) < 0.01)
        }
    }

    @Test func topKDropsTheRestAndRanksTiesByID() {
        let logits: [Float] = [1, 5, 1, 5, 1]
        #expect(Set(draw(logits, Sampler(temperature: 1, topK: 2))) == [1, 3])
        #expect(Set(draw(logits, Sampler(temperature: 1, topK: 3))) == [0, 1, 3])
        #expect(Set(draw(logits, Sampler(temperature: 1, topK: 9))) == [0, 1, 2, 3, 4])
    }

    @Test func topPKeepsTheFewestThatReachIt() {
        let logits: [Float] = [2, 1, 0, -3]  // 0.662, 0.243, 0.090, 0.004
        #expect(Set(draw(logits, Sampler(temperature: 1, topP: 0.6))) == [0])
        #expect(Set(draw(logits, Sampler(temperature: 1, topP: 0.7))) == [0, 1])
        #expect(Set(draw(logits, Sampler(temperature: 1, topP: 0.95))) == [0, 1, 2])
        #expect(Set(draw(logits, Sampler(temperature: 1, topP: 0))) == [0])
        // After top-k: of 0.731 and 0.269 the first reaches 0.7.
        #expect(Set(draw(logits, Sampler(temperature: 1, topK: 2, topP: 0.7))) == [0])
    }

    @Test func manyCandidatesAreRankedAsByASort() {
        var random = SplitMix64(seed: 5)
        let logits = (0..<5_000).map { _ in Float(Int.random(in: 0..<500, using: &random)) / 100 }
        let ranked = logits.indices.sorted { (-logits[$0], $0) < (-logits[$1], $1) }
        for k in [1, 2, 10, 64, 700] {
            let drawn = Set(draw(logits, Sampler(temperature: 50, topK: k), count: 2_000))
            #expect(drawn.isSubset(of: ranked.prefix(k)))
            if k <= 64 { #expect(drawn.count == k) }
        }
    }

    @Test func aSeedRepeatsItself() {
        let logits = (0..<100).map { Float($0 % 7) }
        let sampler = Sampler(temperature: 1, topK: 50, topP: 0.9, seed: 11)
        #expect(draw(logits, sampler, count: 200) == draw(logits, sampler, count: 200))
        #expect(draw(logits, sampler, count: 200) != draw(logits, Sampler(temperature: 1, seed: 12), count: 200))
    }

    @Test(arguments: [Sampler.greedy, Sampler(temperature: 1), Sampler(temperature: 1, topK: 3, topP: 0.9)])
    func whatIsNoNumberIsNotChosen(sampler: Sampler) {
        #expect(Set(draw([.nan, 1, .nan, -.infinity], sampler, count: 50)) == [1])
        #expect(draw([.nan, .nan], sampler, count: 1) == [0])
        #expect(draw([0, .infinity, 0], sampler, count: 1) == [1])
        #expect(draw([-.infinity, -.infinity], sampler, count: 1) == [0])
        #expect(draw([3], sampler, count: 1) == [0])
    }
}
