import Kernels
import TestSupport
import Testing

struct RowFunctionTests {
    @Test(arguments: vectorSets, lengths)
    func dotStaysWithinItsBoundAtEveryAlignment(isa: InstructionSet, count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let (a, b) = (random.floats(count + 3), random.floats(count + 3))
        for offset in 0..<3 {
            let (x, y) = (a[offset..<offset + count], b[offset..<offset + count])
            let difference = abs(dot(x.span, y.span, on: isa) - dot(x.span, y.span, on: .scalar))
            #expect(difference <= sumBound(x, y))
        }
    }

    @Test(arguments: vectorSets, lengths)
    func axpyMatchesScalarTwinAndWritesNothingElse(isa: InstructionSet, count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let (x, start) = (random.floats(count), random.floats(count + 2))
        var (y, expected) = (start, start)
        func run(_ values: inout [Float], _ isa: InstructionSet) {
            var whole = values.mutableSpan
            var inner = whole._mutatingExtracting(1..<count + 1)
            axpy(0.75, x.span, into: &inner, on: isa)
        }
        run(&y, isa)
        run(&expected, .scalar)
        #expect(largestDifference(y, expected) <= 2 * Float.ulpOfOne)
        #expect(y.first == start.first && y.last == start.last)
    }

    @Test(arguments: vectorSets, lengths)
    func softmaxMatchesScalarTwin(isa: InstructionSet, count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let start = random.floats(count, scale: 20)
        let (row, expected) = (softmaxed(start, isa), softmaxed(start, .scalar))
        for (a, b) in zip(row, expected) { #expect(abs(a - b) <= b * 1e-4 + 1e-38) }
        if count > 0 { #expect(abs(row.reduce(0, +) - 1) < 1e-5) }
    }

    @Test(arguments: supportedSets)
    func softmaxOfExtremesIsWhatTheFormulaSays(isa: InstructionSet) {
        #expect(softmaxed([-.infinity, 0, -.infinity], isa) == [0, 1, 0])
        #expect(softmaxed([3e38, 3e38], isa) == [0.5, 0.5])
        #expect(softmaxed([0, -200], isa) == [1, 0])
        #expect(softmaxed([0, .nan, 1], isa).allSatisfy { $0.isNaN })
        #expect(softmaxed([-.infinity], isa).allSatisfy { $0.isNaN })
    }

    @Test(arguments: supportedSets, lengths)
    func maximumIsExact(isa: InstructionSet, count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let row = random.floats(count, scale: 100)
        #expect(maximum(row.span, on: isa) == row.max() ?? -.infinity)
    }

    @Test(arguments: supportedSets, [1, 17, 51_864])
    func logSumExpMatchesDoubles(isa: InstructionSet, count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let row = random.floats(count, scale: 30)
        let largest = Double(row.max() ?? 0)
        let expected = largest + logarithm(row.map { exponential(Double($0) - largest) }.reduce(0, +))
        #expect(abs(Double(logSumExp(row.span, on: isa)) - expected) < 1e-4)
        #expect(logSumExp([Float]().span, on: isa) == -.infinity)
    }

    @Test(arguments: vectorSets)
    func exponentialsAreWithinTwoUlp(isa: InstructionSet) {
        let inputs = (0..<20_000).map { Float($0) * -0.0051 }
        let sums = inputs.map { sumOfExponentials([$0].span, minus: 0, on: isa) }
        var worst = 0.0
        for (x, y) in zip(inputs, sums) {
            let expected = exponential(Double(x))
            // One ulp of a denormal is 1.4e-45.
            worst = max(worst, (abs(Double(y) - expected) - 1.4e-45) / expected / Double(Float.ulpOfOne))
        }
        #expect(worst <= 2)
    }

    @Test(arguments: supportedSets)
    func geluIsTheExactForm(isa: InstructionSet) {
        let inputs = (-4_000...4_000).map { Float($0) * 0.004 }
        let outputs = activated(inputs, .gelu, isa)
        var worst = 0.0
        for (x, y) in zip(inputs, outputs) {
            let expected = Double(x) * 0.5 * complementaryError(-Double(x) * 0.5.squareRoot())
            worst = max(worst, abs(Double(y) - expected) / max(abs(Double(x)), 1))
        }
        #expect(worst <= 3e-7)
        #expect(activated([.infinity, 1e30, -1e30], .gelu, isa) == [.infinity, 1e30, 0])
        #expect(activated([.nan], .gelu, isa).allSatisfy { $0.isNaN })
    }

    @Test(arguments: vectorSets, [Activation.gelu, .relu, .sigmoid, .silu, .none])
    func activationsMatchScalarTwin(isa: InstructionSet, activation: Activation) {
        for count in lengths {
            var random = SplitMix64(seed: UInt64(count))
            let inputs = random.floats(count, scale: 8)
            let difference = largestDifference(
                activated(inputs, activation, isa), activated(inputs, activation, .scalar))
            #expect(difference <= 3e-6)
        }
    }

    @Test(arguments: supportedSets, lengths.dropFirst().map { $0 })
    func layerNormMatchesDoubles(isa: InstructionSet, count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let x = Tensor(random.floats(3 * count), shape: 3, count)
        let (gamma, beta) = (Tensor(random.floats(count), shape: count), Tensor(random.floats(count), shape: count))
        let y = Tensor<Float>(3, count, filledWith: 7)
        layerNorm(x, rows: 1..<3, gamma: gamma, beta: beta, epsilon: 1e-5, into: y, on: isa)
        for i in 0..<3 {
            let row = (0..<count).map { Double(x[i, $0]) }
            let mean = row.reduce(0, +) / Double(count)
            let variance = row.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(count)
            for j in 0..<count {
                let normal = (row[j] - mean) / (variance + 1e-5).squareRoot()
                let expected = i == 0 ? 7 : normal * Double(gamma.array[j]) + Double(beta.array[j])
                #expect(abs(Double(y[i, j]) - expected) < 2e-5)
            }
        }
    }

    @Test(arguments: supportedSets)
    func everyHalfConvertsExactlyAtEveryAlignment(isa: InstructionSet) {
        for offset in 0..<3 {
            var bytes = [UInt8](repeating: 0, count: offset)
            for pattern in UInt16.min...UInt16.max {
                bytes.append(UInt8(truncatingIfNeeded: pattern))
                bytes.append(UInt8(pattern >> 8))
            }
            var floats = [Float](repeating: 0, count: 65_536)
            var output = floats.mutableSpan
            convertFloat16(bytes.span.bytes.extracting(offset...), into: &output, on: isa)
            for pattern in UInt16.min...UInt16.max {
                let (got, expected) = (floats[Int(pattern)], Float(Float16(bitPattern: pattern)))
                if got.bitPattern != expected.bitPattern && !(got.isNaN && expected.isNaN) {
                    Issue.record("half \(pattern) became \(got), not \(expected)")
                }
            }
        }
    }

    @Test(arguments: vectorSets, [1, 7, 16, 33])
    func lstmGatesMatchScalarTwin(isa: InstructionSet, hidden: Int) {
        var random = SplitMix64(seed: UInt64(hidden))
        let gates = Tensor(random.floats(4 * hidden, scale: 12), shape: 4 * hidden)
        let start = random.floats(hidden)
        let cells = (0..<2).map { _ in Tensor(start, shape: hidden) }
        let outputs = (0..<2).map { _ in Tensor<Float>(hidden, filledWith: 0) }
        lstmGates(gates, cell: cells[0], hidden: outputs[0], on: isa)
        lstmGates(gates, cell: cells[1], hidden: outputs[1], on: .scalar)
        #expect(largestDifference(cells[0].array, cells[1].array) < 1e-6)
        #expect(largestDifference(outputs[0].array, outputs[1].array) < 1e-6)
    }

    private func softmaxed(_ values: [Float], _ isa: InstructionSet) -> [Float] {
        var row = values
        var span = row.mutableSpan
        softmax(&span, on: isa)
        return row
    }

    private func activated(_ values: [Float], _ activation: Activation, _ isa: InstructionSet) -> [Float] {
        var row = values
        var span = row.mutableSpan
        activate(&span, activation, on: isa)
        return row
    }
}
