import Kernels
import TestSupport
import Testing

struct PackedMatrixTests {
    struct Shape: CustomTestStringConvertible {
        let rows, inputs, outputs: Int
        var testDescription: String { "\(rows)×\(inputs)×\(outputs)" }
    }

    static let shapes = [
        Shape(rows: 1, inputs: 1, outputs: 1), Shape(rows: 2, inputs: 5, outputs: 31),
        Shape(rows: 3, inputs: 16, outputs: 32), Shape(rows: 5, inputs: 63, outputs: 33),
        Shape(rows: 12, inputs: 64, outputs: 65), Shape(rows: 13, inputs: 385, outputs: 96),
        Shape(rows: 25, inputs: 383, outputs: 40), Shape(rows: 7, inputs: 1_601, outputs: 70),
        Shape(rows: 1, inputs: 400, outputs: 300), Shape(rows: 4, inputs: 3_100, outputs: 34)
    ]

    @Test(arguments: supportedSets, shapes)
    func floatProductStaysWithinItsBound(isa: InstructionSet, shape: Shape) {
        var random = SplitMix64(seed: 1)
        let (m, k, n) = (shape.rows, shape.inputs, shape.outputs)
        let (w, b, x) = (random.floats(n * k), random.floats(n), random.floats(m * k))
        let y = product(w, b, x, shape, .float32, isa)
        var excess: Float = 0
        for i in 0..<m {
            for j in 0..<n {
                let (row, weights) = (x[i * k..<(i + 1) * k].span, w[j * k..<(j + 1) * k].span)
                let (exact, magnitudes) = exactDot(row, weights)
                let bound = 4 * Float(k) * Float.ulpOfOne * (Float(magnitudes) + abs(b[j]))
                excess = max(excess, Float(abs(Double(y[i, j]) - exact - Double(b[j]))) / bound)
            }
        }
        #expect(excess <= 1)
    }

    @Test(
        "Integer sums are exact in every instruction set: small whole numbers come out whole", arguments: supportedSets,
        shapes)
    func integerSumsAreExact(isa: InstructionSet, shape: Shape) {
        var random = SplitMix64(seed: 2)
        let (m, k, n) = (shape.rows, shape.inputs, shape.outputs)
        var (w, x) = (random.int8s(n * k).map { Float($0) }, random.int8s(m * k).map { Float($0) })
        // A 127 in each row makes its scale one; runs of ±127 meet where 16-bit pairs would saturate.
        for j in 0..<n { for i in 0..<min(k, 9) { w[j * k + i] = j % 2 == 0 ? 127 : -127 } }
        for i in 0..<m { for j in 0..<min(k, 9) { x[i * k + j] = i % 2 == 0 ? 127 : -127 } }
        let y = product(w, nil, x, shape, .int8, isa)
        var wrong = 0
        for i in 0..<m {
            for j in 0..<n {
                let exact = exactDot(x[i * k..<(i + 1) * k].span, w[j * k..<(j + 1) * k].span).sum
                if Double(y[i, j]) != Double(Float(exact)) { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    @Test(arguments: vectorSets, shapes)
    func int8MatchesScalarTwin(isa: InstructionSet, shape: Shape) {
        var random = SplitMix64(seed: 3)
        let (m, k, n) = (shape.rows, shape.inputs, shape.outputs)
        let (w, b, x) = (random.floats(n * k), random.floats(n), random.floats(m * k, scale: 9))
        let (y, twin) = (product(w, b, x, shape, .int8, isa), product(w, b, x, shape, .int8, .scalar))
        #expect(y.array.bits == twin.array.bits)
    }

    @Test(arguments: supportedSets, [Precision.float32, .int8])
    func aRowIsTheSameInAnyCompanyAndPartition(isa: InstructionSet, precision: Precision) {
        var random = SplitMix64(seed: 4)
        let (m, k, n) = (29, 801, 330)
        let matrix = PackedMatrix(
            weights: random.floats(n * k), bias: random.floats(n), outputs: n, inputs: k, precision: precision,
            instructionSet: isa)
        let x = Tensor(random.floats(m * k), shape: m, k)
        let (whole, pieces) = (Tensor<Float>(m, n, filledWith: 0), Tensor<Float>(m, n, filledWith: 0))
        matrix.multiply(x, rows: 0..<m, into: whole, panels: 0..<matrix.panels, activation: .gelu)
        for row in [0..<1, 1..<3, 3..<16, 16..<29] {
            for panel in [5..<matrix.panels, 0..<1, 1..<5] {
                matrix.multiply(x, rows: row, into: pieces, panels: panel, activation: .gelu)
            }
        }
        #expect(whole.array.bits == pieces.array.bits)
    }

    @Test(arguments: supportedSets, [Precision.float32, .int8])
    func addingKeepsWhatWasThere(isa: InstructionSet, precision: Precision) {
        var random = SplitMix64(seed: 5)
        let (m, k, n) = (13, 390, 37)
        let matrix = PackedMatrix(
            weights: random.floats(n * k), bias: random.floats(n), outputs: n, inputs: k, precision: precision,
            instructionSet: isa)
        let x = Tensor(random.floats(m * k), shape: m, k)
        let start = random.floats(m * n)
        let (plain, added) = (Tensor<Float>(m, n, filledWith: 0), Tensor(start, shape: m, n))
        matrix.multiply(x, rows: 0..<m, into: plain, panels: 0..<matrix.panels)
        matrix.multiply(x, rows: 0..<m, into: added, panels: 0..<matrix.panels, adding: true)
        #expect(largestDifference(added.array, zip(plain.array, start).map { $0 + $1 }) < 1e-4)
    }

    @Test(arguments: supportedSets)
    func extremesBehave(isa: InstructionSet) {
        let (k, n) = (40, 33)
        let ones = [Float](repeating: 1, count: n * k)
        var inputs = [Float](repeating: 1, count: 6 * k)
        inputs[0 * k + 3] = .nan
        inputs[1 * k + 39] = .infinity
        for i in 0..<k { inputs[2 * k + i] = 0 }
        for i in 0..<k { inputs[3 * k + i] = .leastNonzeroMagnitude }
        for i in 0..<k { inputs[4 * k + i] = 1e38 }
        let shape = Shape(rows: 6, inputs: k, outputs: n)
        let float = product(ones, nil, inputs, shape, .float32, isa)
        let int8 = product(ones, nil, inputs, shape, .int8, isa)
        for j in 0..<n {
            #expect(float[0, j].isNaN && float[1, j] == .infinity && float[2, j] == 0 && float[4, j] == .infinity)
            #expect(int8[0, j].isNaN && int8[1, j].isNaN && int8[2, j] == 0 && int8[3, j] == 0)
            #expect(float[5, j] == 40 && abs(int8[5, j] - 40) < 1e-4)
        }
    }

    @Test(arguments: [Precision.float32, .int8])
    func weightsComeBack(precision: Precision) {
        var random = SplitMix64(seed: 6)
        let (k, n) = (101, 70)
        let weights = random.floats(n * k)
        let matrix = PackedMatrix(weights: weights, bias: nil, outputs: n, inputs: k, precision: precision)
        for output in [0, 31, 32, 69] {
            var row = [Float](repeating: 0, count: k)
            var span = row.mutableSpan
            matrix.copyWeights(ofOutput: output, into: &span)
            let expected = Array(weights[output * k..<(output + 1) * k])
            #expect(largestDifference(row, expected) <= (precision == .int8 ? 0.5 / 127 * 1.001 : 0))
        }
    }

    private func product(
        _ w: [Float], _ b: [Float]?, _ x: [Float], _ shape: Shape, _ precision: Precision, _ isa: InstructionSet
    ) -> Tensor<Float> {
        let matrix = PackedMatrix(
            weights: w, bias: b, outputs: shape.outputs, inputs: shape.inputs, precision: precision,
            instructionSet: isa)
        let output = Tensor<Float>(shape.rows, shape.outputs, filledWith: .nan)
        matrix.multiply(
            Tensor(x, shape: shape.rows, shape.inputs), rows: 0..<shape.rows, into: output, panels: 0..<matrix.panels)
        return output
    }
}
