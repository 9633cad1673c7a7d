import Kernels
import Layers
import TestSupport
import Testing

struct LayerNormTests {
    @Test(arguments: supportedSets)
    func rowsGetMeanBetaAndSpreadGamma(isa: InstructionSet) {
        var random = SplitMix64(seed: 1)
        let (rows, columns) = (150, 384)
        let x = Tensor(random.floats(rows * columns, scale: 5), shape: rows, columns)
        let layer = LayerNorm(
            gamma: [Float](repeating: 2, count: columns), beta: [Float](repeating: 0.5, count: columns),
            instructionSet: isa)
        let y = Tensor<Float>(rows, columns, filledWith: 0)
        layer(x, rows: rows, into: y, pool: ThreadPool(threads: 2))
        for row in [0, 63, 64, 149] {
            let values = (0..<columns).map { Double(y[row, $0]) }
            let mean = values.reduce(0, +) / Double(columns)
            let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(columns)
            #expect(abs(mean - 0.5) < 1e-5 && abs(variance - 4) < 1e-4)
        }
        layer(x, rows: rows, into: x, pool: .single)
        #expect(bits(x) == bits(y))
    }
}
