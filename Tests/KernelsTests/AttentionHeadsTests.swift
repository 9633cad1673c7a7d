import Kernels
import TestSupport
import Testing

struct AttentionHeadsTests {
    @Test(arguments: [(1, 64), (33, 32), (70, 24)])
    func theDefinitionIsTheFormula(size: (positions: Int, headDim: Int)) {
        let (setup, d) = (Setup(size), size.headDim)
        let (out, weights) = setup.attend(.scalar)
        var worst = 0.0
        for head in 0..<Setup.heads {
            for row in 0..<Setup.rows {
                let seen = min(size.positions, setup.visible + row)
                let scores = (0..<seen).map { p in
                    (head * d..<(head + 1) * d).map {
                        Double(setup.queries[row, $0]) * Double(setup.source[p, $0])
                    }.reduce(0, +) / Double(d).squareRoot()
                }
                let powers = scores.map { exponential($0) }
                let softmax = powers.map { $0 / powers.reduce(0, +) }
                for p in 0..<size.positions {
                    worst = max(worst, abs(Double(weights[row * Setup.heads + head, p]) - (p < seen ? softmax[p] : 0)))
                }
                for c in head * d..<(head + 1) * d {
                    let expected = (0..<seen).map { softmax[$0] * Double(setup.source[$0, setup.width + c]) }.reduce(
                        0, +)
                    worst = max(worst, abs(Double(out[row, c]) - expected))
                }
            }
        }
        #expect(worst < 1e-6)
    }

    @Test(arguments: vectorSets, sizes)
    func matchesScalarTwin(isa: InstructionSet, size: (positions: Int, headDim: Int)) {
        let setup = Setup(size)
        let (result, twin) = (setup.attend(isa), setup.attend(.scalar))
        #expect(largestDifference(result.out.array, twin.out.array) < 1e-5)
        #expect(largestDifference(result.weights.array, twin.weights.array) < 1e-5)
    }

    @Test("Bfloat16 attention equals its scalar twin and stays near the floats", arguments: narrowSets, sizes)
    func narrowMatchesScalarTwin(isa: InstructionSet, size: (positions: Int, headDim: Int)) {
        let setup = Setup(size)
        let (result, twin) = (setup.attend(isa, .int8), setup.attend(.scalar, .int8))
        // Scores can round to different sides of a tie, which is one step of bfloat16: 2⁻⁸.
        #expect(largestDifference(result.out.array, twin.out.array) < 2e-3)
        #expect(largestDifference(result.weights.array, twin.weights.array) < 1e-4)
        #expect(largestDifference(result.out.array, setup.attend(.scalar).out.array) < 0.03)
    }

    @Test func onlySetsThatMultiplyBfloat16KeepIt() {
        for set in supportedSets {
            let packed = AttentionHeads(heads: 1, headDim: 8, capacity: 4, precision: .int8, instructionSet: set)
            #expect(packed.isNarrow == [.scalar, .avx512bf16].contains(set))
            #expect(!AttentionHeads(heads: 1, headDim: 8, capacity: 4, instructionSet: set).isNarrow)
        }
    }

    private static let sizes = [(1, 64), (31, 64), (33, 32), (384, 64), (401, 24), (1_100, 64), (1_500, 128), (5, 7)]
    private static let narrowSets = supportedSets.filter { $0 == .avx512bf16 }

    /// Two heads, 14 queries of which the last ones see everything.
    private struct Setup {
        static let (heads, rows) = (2, 14)
        let positions, headDim, width, visible: Int
        let source, queries: Tensor<Float>

        init(_ size: (positions: Int, headDim: Int)) {
            var random = SplitMix64(seed: UInt64(size.positions))
            (positions, headDim) = size
            width = Self.heads * headDim
            visible = max(1, positions - Self.rows / 2)
            source = Tensor(random.floats(positions * 2 * width), shape: positions, 2 * width)
            queries = Tensor(random.floats(Self.rows * width, scale: 3), shape: Self.rows, width)
        }

        func attend(_ isa: InstructionSet, _ precision: Precision = .float32) -> (
            out: Tensor<Float>, weights: Tensor<Float>
        ) {
            let packed = AttentionHeads(
                heads: Self.heads, headDim: headDim, capacity: positions + 5, precision: precision,
                instructionSet: isa)
            let out = Tensor<Float>(Self.rows, width, filledWith: 0)
            let weights = Tensor<Float>(Self.rows, Self.heads, positions, filledWith: 0)
            for head in 0..<Self.heads {
                let column = head * headDim
                packed.store(
                    source, keyColumn: column, valueColumn: width + column, head: head, positions: 0..<positions)
                packed.attend(
                    queries, queryColumn: column, rows: 0..<Self.rows, head: head, positions: positions,
                    visible: visible, into: out, weights: weights)
            }
            return (out, weights)
        }
    }

    @Test(arguments: supportedSets, [Precision.float32, .int8])
    func aRowIsTheSameAloneAndAmongOthers(isa: InstructionSet, precision: Precision) {
        var random = SplitMix64(seed: 9)
        let (d, t, rows) = (64, 450, 30)
        let source = Tensor(random.floats(t * 2 * d), shape: t, 2 * d)
        let queries = Tensor(random.floats(rows * d), shape: rows, d)
        let packed = AttentionHeads(
            heads: 1, headDim: d, capacity: t, precision: precision, instructionSet: isa)
        for positions in [0..<7, 7..<8, 8..<t] {  // in pieces that cut pairs apart
            packed.store(
                source, firstRow: positions.lowerBound, keyColumn: 0, valueColumn: d, head: 0, positions: positions)
        }
        let (together, alone) = (Tensor<Float>(rows, d, filledWith: 0), Tensor<Float>(rows, d, filledWith: 0))
        packed.attend(
            queries, queryColumn: 0, rows: 0..<rows, head: 0, positions: t, visible: t - rows + 1, into: together)
        for row in 0..<rows {
            let seen = t - rows + 1 + row
            packed.attend(
                queries, queryColumn: 0, rows: row..<row + 1, head: 0, positions: seen, visible: seen, into: alone)
        }
        #expect(together.array.bits == alone.array.bits)
    }
}
