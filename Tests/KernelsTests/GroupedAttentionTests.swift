import Kernels
import TestSupport
import Testing

struct GroupedAttentionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let group, headDim, slots: Int
        let seen: Range<Int>
        var testDescription: String { "\(group)×\(headDim), \(seen) of \(slots)" }
    }

    static let cases = [
        Case(group: 4, headDim: 256, slots: 600, seen: 0..<1),
        Case(group: 4, headDim: 256, slots: 512, seen: 300..<812),
        Case(group: 2, headDim: 32, slots: 40, seen: 35..<74), Case(group: 1, headDim: 24, slots: 9, seen: 100..<107),
        Case(group: 3, headDim: 80, slots: 70, seen: 3..<70), Case(group: 6, headDim: 64, slots: 33, seen: 0..<33),
        Case(group: 5, headDim: 7, slots: 20, seen: 19..<22)
    ]

    private struct Setup {
        static let keyHeads = 2
        let test: Case
        let queries, keys, values: Tensor<Float>

        init(_ test: Case) {
            var random = SplitMix64(seed: UInt64(test.seen.count))
            self.test = test
            let rows = 2
            queries = Tensor(
                random.floats(rows * Self.keyHeads * test.group * test.headDim), shape: rows,
                Self.keyHeads * test.group * test.headDim)
            let count = Self.keyHeads * test.slots * test.headDim
            // Numbers that halves hold exactly, so that both storages have one definition.
            let exact = random.floats(2 * count).map { Float(Float16($0)) }
            keys = Tensor(Array(exact[..<count]), shape: Self.keyHeads, test.slots, test.headDim)
            values = Tensor(Array(exact[count...]), shape: Self.keyHeads, test.slots, test.headDim)
        }

        func attend(_ isa: InstructionSet, halves: Bool, heads: [Int] = [0, 1]) -> Tensor<Float> {
            let attention =
                halves
                ? GroupedAttention(halfKeys: narrowed(keys), halfValues: narrowed(values))
                : GroupedAttention(keys: keys, values: values)
            let output = Tensor<Float>(2, queries.columns, filledWith: 7)
            let scores = Tensor<Float>(test.group * test.seen.count, filledWith: 0)
            var scratch = scores.mutableSpan
            for head in heads {
                attention.attend(
                    queries, row: 1, keyHead: head, seen: test.seen, scores: &scratch, into: output, on: isa)
            }
            return output
        }

        private func narrowed(_ x: Tensor<Float>) -> Tensor<UInt16> {
            let halves = x.array.map { Float16($0).bitPattern }
            return Tensor(halves, shape: x.shape[0], x.shape[1], x.shape[2])
        }
    }

    @Test(arguments: supportedSets, cases)
    func isTheFormula(isa: InstructionSet, test: Case) {
        let setup = Setup(test)
        let (d, width) = (test.headDim, test.group * test.headDim)
        let (keys, values) = (setup.keys.array, setup.values.array)
        let results = [setup.attend(isa, halves: false), setup.attend(isa, halves: true)]
        for head in 0..<2 {
            for query in 0..<test.group {
                let start = head * width + query * d
                let slots = test.seen.map { (head * test.slots + $0 % test.slots) * d }
                let scores = slots.map { slot in
                    (0..<d).map { Double(setup.queries[1, start + $0]) * Double(keys[slot + $0]) }
                        .reduce(0, +)
                }
                let powers = scores.map { exponential($0 - scores.max()!) }
                let total = powers.reduce(0, +)
                for i in 0..<d {
                    let expected = zip(powers, slots).map { $0 / total * Double(values[$1 + i]) }.reduce(0, +)
                    for result in results { #expect(abs(Double(result[1, start + i]) - expected) < 3e-6) }
                }
            }
        }
        #expect(results[0].array.prefix(setup.queries.columns).allSatisfy { $0 == 7 })
    }

    @Test(arguments: supportedSets, [false, true])
    func headsDoNotMixAndSlotsDoNotMatter(isa: InstructionSet, halves: Bool) {
        let setup = Setup(Self.cases[1])
        let (both, second) = (setup.attend(isa, halves: halves), setup.attend(isa, halves: halves, heads: [1]))
        let width = setup.queries.columns / 2
        for i in 0..<width {
            #expect(both[1, width + i] == second[1, width + i])
            #expect(second[1, i] == 7)
        }
    }
}
