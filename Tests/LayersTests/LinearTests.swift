import Kernels
import Layers
import TestSupport
import Testing

struct LinearTests {
    @Test(arguments: supportedSets)
    func floatMatchesPlainLoops(isa: InstructionSet) {
        var random = SplitMix64(seed: 1)
        let (rows, inputs, outputs) = (21, 130, 77)
        let (w, b, x) = (random.floats(outputs * inputs), random.floats(outputs), random.floats(rows * inputs))
        let layer = Linear(
            weights: w, bias: b, outputs: outputs, inputs: inputs, precision: .float32, instructionSet: isa)
        let y = Tensor<Float>(rows, outputs, filledWith: 0)
        layer(Tensor(x, shape: rows, inputs), rows: rows, into: y, pool: .single)
        #expect(difference(y, linear(x, w, b, inputs: inputs)) < 2e-5)
    }

    @Test func int8IsOffByAboutAPercentOfTheSpread() {
        var random = SplitMix64(seed: 2)
        let (rows, inputs, outputs) = (9, 384, 200)
        let (w, b, x) = (random.floats(outputs * inputs), random.floats(outputs), random.floats(rows * inputs))
        let layer = Linear(weights: w, bias: b, outputs: outputs, inputs: inputs, precision: .int8)
        let y = Tensor<Float>(rows, outputs, filledWith: 0)
        layer(Tensor(x, shape: rows, inputs), rows: rows, into: y, pool: .single)
        // Products spread by √384 / 3 = 6.5; two roundings of 1/254 each, uniform: 6.5 · √2 · √3 / 254 · 5 deviations
        #expect(difference(y, linear(x, w, b, inputs: inputs)) < 0.32)
    }

    @Test(arguments: [Precision.float32, .int8], [1, 2, 8, 95, 200])
    func threadsAndCompanyChangeNothing(precision: Precision, rows: Int) {
        var random = SplitMix64(seed: UInt64(rows))
        let (inputs, outputs) = (400, 900)
        let layer = Linear(
            weights: random.floats(outputs * inputs), bias: random.floats(outputs), outputs: outputs, inputs: inputs,
            precision: precision)
        let x = Tensor(random.floats(rows * inputs), shape: rows, inputs)
        let expected = Tensor<Float>(rows, outputs, filledWith: 0)
        layer(x, rows: rows, into: expected, activation: .gelu, pool: .single)
        for threads in 2...3 {
            let y = Tensor<Float>(rows, outputs, filledWith: 0)
            layer(x, rows: rows, into: y, activation: .gelu, pool: ThreadPool(threads: threads))
            #expect(bits(y) == bits(expected))
        }
        let alone = Tensor<Float>(1, outputs, filledWith: 0)
        layer(slice(x, rows - 1..<rows), rows: 1, into: alone, activation: .gelu, pool: .single)
        #expect(bits(alone) == bits(slice(expected, rows - 1..<rows)))
    }

    @Test func onlyTheRowsAskedForAreTouched() {
        var random = SplitMix64(seed: 3)
        let layer = Linear(weights: random.floats(640), bias: nil, outputs: 40, inputs: 16, precision: .float32)
        let y = Tensor<Float>(5, 40, filledWith: 3)
        layer(Tensor(random.floats(80), shape: 5, 16), rows: 2, into: y, adding: true, pool: .single)
        #expect(y.array[80...].allSatisfy { $0 == 3 })
        #expect(y.array[..<80].contains { $0 != 3 })
    }
}
