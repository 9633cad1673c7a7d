import Kernels
import TestSupport
import Testing

struct QuantizedMatrixTests {
    static let formats = [QuantizedFormat.q4, .q8, .q2]
    /// Those that keep what they are given.
    static let faithful = [QuantizedFormat.q4, .q8]
    static let lengths = [32, 64, 96, 224, 256, 288, 480, 512, 1_056, 2_048]
    static let outputCounts = [1, 31, 32, 33, 70]

    private func product(
        _ matrix: QuantizedMatrix, _ x: Tensor<Float>, on isa: InstructionSet, activation: Activation = .none
    ) -> Tensor<Float> {
        let y = Tensor<Float>.canary(x.rows, matrix.outputs)
        let inputs = QuantizedActivations(rows: x.rows, inputs: x.columns)
        inputs.quantize(x, rows: 0..<x.rows, on: isa)
        matrix.multiply(inputs, rows: 0..<x.rows, into: y, panels: 0..<matrix.panels, activation: activation)
        return y
    }

    @Test("Every instruction set gives the bits of the scalar twin", arguments: vectorSets, formats)
    func matchesScalarTwin(isa: InstructionSet, format: QuantizedFormat) {
        for inputs in Self.lengths {
            let outputs = Self.outputCounts[inputs / 32 % 5]
            let bytes = extremePanels(format, outputs: outputs, inputs: inputs, seed: UInt64(inputs))
            func matrix(_ isa: InstructionSet) -> QuantizedMatrix {
                QuantizedMatrix(format: format, outputs: outputs, inputs: inputs, bytes: bytes, instructionSet: isa)
            }
            for rows in [1, 2, 5, 12, 15, 100] {
                let x = activations(rows, inputs, seed: 7)
                let (result, twin) = (product(matrix(isa), x, on: isa), product(matrix(.scalar), x, on: .scalar))
                #expect(result.array.bits == twin.array.bits, "\(rows)×\(inputs)×\(outputs)")
            }
        }
    }

    @Test(arguments: formats)
    func theDefinitionIsTheFormula(format: QuantizedFormat) {
        let (rows, inputs, outputs) = (5, 608, 40)
        let bytes = extremePanels(format, outputs: outputs, inputs: inputs, seed: 3)
        let matrix = QuantizedMatrix(
            format: format, outputs: outputs, inputs: inputs, bytes: bytes, instructionSet: .scalar)
        let x = activations(rows, inputs, seed: 4)
        let y = product(matrix, x, on: .scalar)
        var weights = [Float](repeating: 0, count: inputs)
        for n in 0..<outputs {
            var span = weights.mutableSpan
            matrix.copyWeights(ofOutput: n, into: &span)
            for m in 0..<rows {
                var (sum, magnitudes) = (0.0, 0.0)
                for first in stride(from: 0, to: inputs, by: 256) {
                    let range = first..<min(first + 256, inputs)
                    let scale = range.map { abs(x[m, $0]) }.max()! / 127
                    for k in range where scale > 0 {
                        let product = Double(weights[k]) * Double((x[m, k] / scale).rounded(.toNearestOrEven) * scale)
                        sum += product
                        magnitudes += abs(product)
                    }
                }
                // A quotient near a half may round either way: one step of one input.
                #expect(abs(Double(y[m, n]) - sum) <= 2e-3 * magnitudes)
            }
        }
    }

    @Test(arguments: supportedSets, formats)
    func aRowIsTheSameAloneAndAmongOthersAndInParts(isa: InstructionSet, format: QuantizedFormat) {
        var random = SplitMix64(seed: 5)
        let (rows, inputs, outputs) = (110, 416, 100)
        let bytes = QuantizedMatrix.pack(random.floats(outputs * inputs).span, format: format, inputs: inputs)
        let bias = random.floats(outputs)
        let matrix = QuantizedMatrix(
            format: format, outputs: outputs, inputs: inputs, bytes: bytes, bias: bias, instructionSet: isa)
        let x = activations(rows, inputs, seed: 6)
        let whole = product(matrix, x, on: isa, activation: .gelu)
        let quantised = QuantizedActivations(rows: rows, inputs: inputs)
        quantised.quantize(x, rows: 50..<rows, on: isa)
        quantised.quantize(x, rows: 0..<50, on: isa)
        let y = Tensor<Float>.canary(rows, outputs)
        for rows in [0..<1, 1..<4, 4..<17, 17..<109, 109..<110] {
            for panels in [2..<4, 0..<1, 1..<2] {
                matrix.multiply(quantised, rows: rows, into: y, panels: panels, activation: .gelu)
            }
        }
        #expect(y.array.bits == whole.array.bits)
        let plain = product(matrix, x, on: isa)
        let sum = Tensor<Float>(rows, outputs, filledWith: 3)
        matrix.multiply(quantised, rows: 0..<rows, into: sum, panels: 0..<4, adding: true)
        #expect(zip(sum.array, plain.array).allSatisfy { $0 == 3 + $1 })
    }

    @Test(arguments: supportedSets, formats)
    func onlyRowsWithNumbersThatAreNotFiniteBecomeNaN(isa: InstructionSet, format: QuantizedFormat) {
        var random = SplitMix64(seed: 8)
        let (rows, inputs, outputs) = (6, 512, 33)
        let bytes = QuantizedMatrix.pack(random.floats(outputs * inputs).span, format: format, inputs: inputs)
        let matrix = QuantizedMatrix(
            format: format, outputs: outputs, inputs: inputs, bytes: bytes, instructionSet: isa)
        var values = random.floats(rows * inputs)
        values[100] = .nan
        values[inputs + 511] = .infinity
        values[2 * inputs] = -.infinity
        for k in 3 * inputs..<4 * inputs { values[k] = k % 2 == 0 ? 1e-31 : 0 }
        values[4 * inputs] = .greatestFiniteMagnitude
        let y = product(matrix, Tensor(values, shape: rows, inputs), on: isa)
        for row in 0..<3 { #expect((0..<outputs).allSatisfy { y[row, $0].isNaN }) }
        #expect((0..<outputs).allSatisfy { y[3, $0] == 0 })
        for row in 4..<6 { #expect((0..<outputs).allSatisfy { !y[row, $0].isNaN }) }
    }

    @Test("Bytes that no quantiser writes give some number", arguments: supportedSets, formats)
    func hostileBytesDoNotCrash(isa: InstructionSet, format: QuantizedFormat) {
        let (inputs, outputs) = (352, 40)
        for fill: UInt8 in [0xFF, 0x7F, 0x80, 0x0F] {
            let count = QuantizedMatrix.byteCount(format: format, outputs: outputs, inputs: inputs)
            let bytes = ByteRegion(byteCount: count) { bytes in
                for i in 0..<count { bytes.storeBytes(of: fill, toByteOffset: i, as: UInt8.self) }
            }
            let matrix = QuantizedMatrix(
                format: format, outputs: outputs, inputs: inputs, bytes: bytes, instructionSet: isa)
            for rows in [1, 13] {
                let y = product(matrix, activations(rows, inputs, seed: 1), on: isa)
                #expect(y.array.allSatisfy { $0 != 1234.5 })
            }
        }
    }

    /// Both round alike; the lower bits count as their mean, 1.5.
    @Test func twoBitsAreTheUpperHalfOfFour() {
        var random = SplitMix64(seed: 10)
        let (inputs, outputs) = (608, 70)
        let weights = (0..<inputs * outputs).map { _ in random.floats(4).reduce(0, +) }
        let matrices = [QuantizedFormat.q4, .q2].map { format in
            QuantizedMatrix(
                format: format, outputs: outputs, inputs: inputs,
                bytes: QuantizedMatrix.pack(weights.span, format: format, inputs: inputs))
        }
        let steps = matrices[0].steps()
        #expect(steps.count == outputs && steps == matrices[1].steps() && steps.allSatisfy { $0 > 0 })
        var rows = [[Float]](repeating: [Float](repeating: 0, count: inputs), count: 2)
        for n in 0..<outputs {
            for (index, matrix) in matrices.enumerated() {
                var span = rows[index].mutableSpan
                matrix.copyWeights(ofOutput: n, into: &span)
            }
            let off = zip(rows[0], rows[1]).map { abs($0 - $1) / steps[n] }
            // Halves and thrice that of a block's own step; √1.25 of steps in the mean of squares.
            #expect(off.allSatisfy { $0 > 0.2 && $0 < 3 })
            let deviation = (off.reduce(0) { $0 + $1 * $1 } / Float(inputs)).squareRoot()
            #expect(abs(deviation - 1.118) < 0.12)
        }
    }

    @Test func packingLosesLittle() {
        var random = SplitMix64(seed: 9)
        let (inputs, outputs) = (1_024, 64)
        // Sums of four are near enough to the bell that trained weights follow.
        let weights = (0..<inputs * outputs).map { _ in random.floats(4).reduce(0, +) }
        for (format, bound) in [(QuantizedFormat.q4, Float(0.080)), (.q8, 0.0085)] {
            let bytes = QuantizedMatrix.pack(weights.span, format: format, inputs: inputs)
            let matrix = QuantizedMatrix(format: format, outputs: outputs, inputs: inputs, bytes: bytes)
            var (error, energy): (Float, Float) = (0, 0)
            var row = [Float](repeating: 0, count: inputs)
            for n in 0..<outputs {
                var span = row.mutableSpan
                matrix.copyWeights(ofOutput: n, into: &span)
                for k in 0..<inputs {
                    error += (row[k] - weights[n * inputs + k]) * (row[k] - weights[n * inputs + k])
                    energy += weights[n * inputs + k] * weights[n * inputs + k]
                }
            }
            #expect((error / energy).squareRoot() < bound, "\(format)")
        }
    }

    @Test(arguments: faithful)
    func zerosStayZeroAndWhatIsNotFiniteBecomesZero(format: QuantizedFormat) {
        var weights = [Float](repeating: 0, count: 3 * 288)
        for k in 288..<576 { weights[k] = k % 3 == 0 ? 0.5 : -0.25 }
        (weights[300], weights[301], weights[600]) = (.nan, .infinity, 1e-12)
        let bytes = QuantizedMatrix.pack(weights.span, format: format, inputs: 288)
        let matrix = QuantizedMatrix(format: format, outputs: 3, inputs: 288, bytes: bytes)
        var row = [Float](repeating: 1, count: 288)
        for n in 0..<3 {
            var span = row.mutableSpan
            matrix.copyWeights(ofOutput: n, into: &span)
            for k in 0..<288 {
                let weight = weights[n * 288 + k]
                #expect(abs(row[k] - (weight.isFinite ? weight : 0)) < 0.03)
                if n == 0 { #expect(row[k] == 0) }
            }
        }
    }

    @Test(arguments: faithful)
    func weightsOfOneSignAndOfHugeSpreadSurvive(format: QuantizedFormat) {
        var random = SplitMix64(seed: 11)
        let weights = (0..<64 * 256).map { i in
            let x = random.floats(1)[0]
            return i / 256 % 4 == 0 ? abs(x) + 1 : i / 256 % 4 == 1 ? -abs(x) : i % 256 == 17 ? x * 1_000 : x * 60_000
        }
        let bytes = QuantizedMatrix.pack(weights.span, format: format, inputs: 256)
        let matrix = QuantizedMatrix(format: format, outputs: 64, inputs: 256, bytes: bytes)
        var row = [Float](repeating: 1, count: 256)
        for n in 0..<64 {
            var span = row.mutableSpan
            matrix.copyWeights(ofOutput: n, into: &span)
            let largest = weights[n * 256..<(n + 1) * 256].map { abs($0) }.max()!
            for k in 0..<256 {
                // The least squares may clip the largest of a block by a fifth of the range.
                #expect(abs(row[k] - weights[n * 256 + k]) <= largest * (format == .q4 ? 0.2 : 0.0045))
            }
        }
    }
}
