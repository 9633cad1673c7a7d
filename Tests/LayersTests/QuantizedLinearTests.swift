import Kernels
import Layers
import TestSupport
import Testing

struct QuantizedLinearTests {
    private static func layer(_ outputs: Int, _ inputs: Int, _ format: QuantizedFormat, seed: UInt64) -> Linear {
        var random = SplitMix64(seed: seed)
        let weights = random.floats(outputs * inputs)
        return Linear(
            QuantizedMatrix(
                format: format, outputs: outputs, inputs: inputs,
                bytes: QuantizedMatrix.pack(weights.span, format: format, inputs: inputs)))
    }

    @Test(arguments: [QuantizedFormat.q4, .q8], [1, 2, 95, 97, 300])
    func threadsAndCompanyChangeNothing(format: QuantizedFormat, rows: Int) {
        var random = SplitMix64(seed: UInt64(rows))
        let (inputs, outputs) = (288, 1_030)
        let layer = Self.layer(outputs, inputs, format, seed: 1)
        #expect(layer.inputs == inputs && layer.outputs == outputs)
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

    @Test(arguments: [1, 3, 130], [1, 2, 5])
    func severalProductsOfOneInputAreEachAsAlone(rows: Int, threads: Int) {
        var random = SplitMix64(seed: 4)
        let inputs = 512
        let layers = [
            Self.layer(2_048, inputs, .q4, seed: 1), Self.layer(33, inputs, .q8, seed: 2),
            Linear(
                weights: random.floats(70 * inputs), bias: nil, outputs: 70, inputs: inputs, precision: .float32),
            Self.layer(512, inputs, .q4, seed: 3)
        ]
        let x = Tensor(random.floats(rows * inputs), shape: rows, inputs)
        func outputs() -> [Tensor<Float>] { layers.map { Tensor(rows, $0.outputs, filledWith: 2) } }
        let (together, alone) = (outputs(), outputs())
        let products = zip(layers, together).map { layer, output in
            Linear.Product(layer, into: output, adding: layer.outputs == 33)
        }
        Linear.apply(products, to: x, rows: rows, pool: ThreadPool(threads: threads))
        for (layer, output) in zip(layers, alone) {
            layer(x, rows: rows, into: output, adding: layer.outputs == 33, pool: .single)
        }
        for (a, b) in zip(together, alone) { #expect(bits(a) == bits(b)) }
    }

    @Test func aHandfulOfBuffersServesManyWidthsAndHeights() {
        let pool = ThreadPool(threads: 2)
        var random = SplitMix64(seed: 6)
        for round in 0..<60 {
            let (rows, inputs) = (1 + round * 7 % 20, 32 * (1 + round % 23))
            let layer = Self.layer(40, inputs, .q8, seed: UInt64(round))
            let x = Tensor(random.floats(rows * inputs), shape: rows, inputs)
            let (y, again) = (Tensor<Float>(rows, 40, filledWith: 0), Tensor<Float>(rows, 40, filledWith: 0))
            layer(x, rows: rows, into: y, pool: pool)
            layer(x, rows: rows, into: again, pool: .single)
            #expect(bits(y) == bits(again))
        }
    }

    @Test func weightsComeBackDequantised() {
        let layer = Self.layer(50, 96, .q8, seed: 9)
        var random = SplitMix64(seed: 9)
        let weights = random.floats(50 * 96)
        var row = [Float](repeating: 0, count: 96)
        var span = row.mutableSpan
        layer.copyWeights(ofOutput: 49, into: &span)
        for k in 0..<96 { #expect(abs(row[k] - weights[49 * 96 + k]) < 0.005) }
    }
}
