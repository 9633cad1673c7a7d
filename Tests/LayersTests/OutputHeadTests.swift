import Kernels
import Layers
import TestSupport
import Testing

struct OutputHeadTests {
    private static let (outputs, inputs) = (3_001, 288)

    /// Sums of four are near to the bell that trained weights follow; some rows are larger than others.
    private static let values: [Float] = {
        var random = SplitMix64(seed: 1)
        return (0..<outputs * inputs).map { index in
            let size: Float = index / inputs % 7 == 0 ? 1.5 : 1
            return size * random.floats(4).reduce(0, +)
        }
    }()

    private static let sketched = OutputHead(
        QuantizedRows(
            format: .q4, count: outputs, columns: inputs,
            bytes: QuantizedRows.pack(values.span, format: .q4, columns: inputs)),
        sketch: QuantizedMatrix(
            format: .q2, outputs: outputs, inputs: inputs,
            bytes: QuantizedMatrix.pack(values.span, format: .q2, inputs: inputs)))

    private static let plain = OutputHead(
        Linear(
            QuantizedMatrix(
                format: .q4, outputs: outputs, inputs: inputs,
                bytes: QuantizedMatrix.pack(values.span, format: .q4, inputs: inputs))))

    private func inputs(_ rows: Int, seed: UInt64) -> Tensor<Float> {
        var random = SplitMix64(seed: seed)
        var values = random.floats(rows * Self.inputs, scale: 3)
        // One number that outweighs the rest, as the last norm of a trained model leaves some.
        for row in stride(from: 0, to: rows, by: 3) { values[row * Self.inputs + 77] = 90 }
        return Tensor(values, shape: rows, Self.inputs)
    }

    private func all(_ head: OutputHead, _ x: Tensor<Float>, threads: Int = 1) -> Tensor<Float> {
        let y = Tensor<Float>(x.rows, Self.outputs, filledWith: 0)
        head(x, rows: x.rows, into: y, pool: ThreadPool(threads: threads))
        return y
    }

    @Test(arguments: [1, 4], 1...3) func allProductsAreThoseOfPanels(rows: Int, threads: Int) {
        let x = inputs(rows, seed: 2)
        #expect(bits(all(Self.sketched, x, threads: threads)) == bits(all(Self.plain, x)))
    }

    /// 600 rows of inputs, alone and together.
    @Test(arguments: [1, 6], 1...3) func theLargestProductsAreExactAndTheRestSmaller(together: Int, threads: Int) {
        var estimates = 0
        for round in 0..<100 {
            let x = inputs(together, seed: UInt64(1_000 * together + round))
            let (exact, found) = (all(Self.plain, x), Tensor<Float>(together, Self.outputs, filledWith: 0))
            Self.sketched.largest(x, rows: together, into: found, pool: ThreadPool(threads: threads))
            for row in 0..<together {
                let (products, some) = (exact.array[row * Self.outputs..<(row + 1) * Self.outputs], found.row(row))
                let largest = products.max()!
                #expect(products.firstIndex(of: largest)! - row * Self.outputs == place(of: largest, in: some))
                var (error, energy): (Float, Float) = (0, 0)
                for (index, product) in products.enumerated() where some[index] != product {
                    estimates += 1
                    #expect(some[index] < largest)
                    error += (some[index] - product) * (some[index] - product)
                    energy += product * product
                }
                #expect(error < 0.25 * energy)
            }
        }
        #expect(estimates > 100 * together * Self.outputs / 2)
    }

    private func place(of largest: Float, in row: Span<Float>) -> Int? {
        #expect(row.indices.allSatisfy { row[$0] <= largest })
        return row.indices.first { row[$0] == largest }
    }

    @Test func withoutASketchTheLargestAreAll() {
        let x = inputs(2, seed: 5)
        let y = Tensor<Float>(2, Self.outputs, filledWith: 0)
        Self.plain.largest(x, rows: 2, into: y, pool: .single)
        #expect(bits(y) == bits(all(Self.plain, x)))
    }

    @Test func whatIsNotFiniteSpoilsItsRowOnly() {
        let x = inputs(3, seed: 6)
        var row = x.mutableRow(1)
        row[200] = .nan
        let y = Tensor<Float>(3, Self.outputs, filledWith: 0)
        Self.sketched.largest(x, rows: 3, into: y, pool: ThreadPool(threads: 2))
        for row in 0..<3 {
            let values = y.array[row * Self.outputs..<(row + 1) * Self.outputs]
            #expect(values.allSatisfy { $0.isNaN == (row == 1) })
        }
    }

    @Test func zerosGiveZeros() {
        let y = Tensor<Float>(1, Self.outputs, filledWith: 3)
        Self.sketched.largest(Tensor(1, Self.inputs, filledWith: 0), rows: 1, into: y, pool: .single)
        #expect(y.array.allSatisfy { $0 == 0 })
    }

    @Test func anEmbeddingIsTheSameFromRowsAndPanels() {
        var (row, panel) = ([Float](repeating: 0, count: Self.inputs), [Float](repeating: 0, count: Self.inputs))
        for output in [0, 31, 32, 1_777, 3_000] {
            var first = row.mutableSpan
            Self.sketched.copyWeights(ofOutput: output, into: &first)
            var second = panel.mutableSpan
            Self.plain.copyWeights(ofOutput: output, into: &second)
            #expect(row == panel && row.contains { $0 != 0 })
        }
    }
}
