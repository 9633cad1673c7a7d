import Glibc
import Kernels
import Layers
import TestSupport
import Testing

/// Norm, rotation and row tables against their definitions.
struct RowLayerTests {
    @Test(arguments: [1, 3, 64, 130], [false, true]) func normOfGroups(width: Int, adding: Bool) {
        var random = SplitMix64(seed: UInt64(width))
        let (rows, groups) = (5, 3)
        let (x, weight) = (random.floats(rows * groups * width, scale: 4), random.floats(width))
        let before: Float = adding ? 2 : 0
        func check(_ norm: RMSNorm, _ weight: [Float]) {
            let y = Tensor<Float>(rows, groups * width, filledWith: 2)
            norm(Tensor(x, shape: rows, groups * width), rows: rows, into: y, adding: adding, pool: .single)
            let expected = x.indices.map { i -> Double in
                let group = x[i / width * width..<(i / width + 1) * width]
                let mean = group.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(width)
                return Double(before) + Double(x[i]) / (mean + 1e-6).squareRoot() * Double(weight[i % width])
            }
            #expect(difference(y, expected) < 5e-6)
        }
        check(RMSNorm(weight: weight, epsilon: 1e-6), weight)
        check(RMSNorm(width: width, epsilon: 1e-6), [Float](repeating: 1, count: width))
    }

    @Test func rotationTurnsPairsByTheirPosition() {
        var random = SplitMix64(seed: 8)
        let (rows, headDim) = (6, 16)
        let x = random.floats(rows * 2 * headDim)
        let rotary = RotaryEmbedding(headDim: headDim, base: 10_000, rows: 10)
        rotary.prepare(100..<110)
        let y = Tensor(x, shape: rows, 2 * headDim)
        rotary(y, rows: rows, firstRow: 4, pool: .single)
        let expected = x.indices.map { i -> Double in
            let (row, d) = (i / (2 * headDim), i % headDim)
            let angle = Double(104 + row) * pow(10_000, -2 * Double(d % 8) / 16)
            let other = Double(x[d < 8 ? i + 8 : i - 8])
            return Double(x[i]) * cos(angle) + (d < 8 ? -other : other) * sin(angle)
        }
        #expect(difference(y, expected) < 2e-5)
    }

    @Test func tableGathersMultipliesAndAdds() {
        var random = SplitMix64(seed: 9)
        let (count, columns) = (20, 37)
        let (values, input) = (random.floats(count * columns), random.floats(columns))
        let table = RowTable(values, count: count, columns: columns)
        let rows: [Int32] = [3, 0, 19, 3]
        var copy = [Float](repeating: 0, count: columns)
        var target = copy.mutableSpan
        table.copyRow(19, into: &target)
        #expect(copy == Array(values[19 * columns..<20 * columns]))

        let indices = Tensor(rows + [-1], shape: 1, 5)
        let counts = Tensor([4], shape: 1, 1)
        let dots = Tensor<Float>(1, 5, filledWith: 7)
        table.dots(indices, counts: counts, with: Tensor(input, shape: 1, columns), rows: 1, into: dots, pool: .single)
        let expected = rows.map { row in
            (0..<columns).reduce(0.0) { $0 + Double(values[Int(row) * columns + $1]) * Double(input[$1]) }
        }
        #expect(difference(dots, expected + [7]) < 1e-5)

        let weights = random.floats(5)
        let sums = Tensor<Float>(1, columns, filledWith: 1)
        table.sums(
            indices, weights: Tensor(weights, shape: 1, 5), counts: counts, rows: 1, into: sums, pool: .single)
        let added = (0..<columns).map { column in
            zip(rows, weights).reduce(0.0) { $0 + Double($1.1) * Double(values[Int($1.0) * columns + column]) }
        }
        #expect(difference(sums, added) < 1e-5)
    }

    /// Whether rows go through a table by themselves or together, and on how many threads.
    @Test(arguments: [QuantizedFormat.q4, .q8, .bfloat16])
    func companyChangesNoBitOfAGather(format: QuantizedFormat) {
        var random = SplitMix64(seed: 10)
        let (count, columns, rows) = (50, 320, 21)
        let table = RowTable(
            QuantizedRows(
                format: format, count: count, columns: columns,
                bytes: QuantizedRows.pack(
                    random.floats(count * columns).span, format: format, columns: columns)))
        let (input, indices) = (random.floats(rows * columns), Tensor<Int32>(rows, count, filledWith: 0))
        let (weights, counts) = (random.floats(rows * count), Tensor<Int>(1, rows, filledWith: 0))
        for row in 0..<rows {
            let chosen = (0..<count).filter { _ in random.next() % 4 == 0 }
            for (i, index) in chosen.enumerated() { indices[row, i] = Int32(index) }
            counts[0, row] = chosen.count
        }
        func part<Number>(_ all: Tensor<Number>, _ rows: Range<Int>) -> Tensor<Number> {
            let width = all.columns
            return Tensor(
                Array(all.array[rows.lowerBound * width..<rows.upperBound * width]), shape: rows.count, width)
        }
        let (inputs, factors) = (Tensor(input, shape: rows, columns), Tensor(weights, shape: rows, count))
        func results(_ rows: Range<Int>, threads: Int) -> [UInt32] {
            let pool = ThreadPool(threads: threads)
            let ours = Tensor(rows.map { counts[0, $0] }, shape: 1, rows.count)
            let mine = part(indices, rows)
            let dots = Tensor<Float>(rows.count, count, filledWith: 0)
            let sums = Tensor<Float>(rows.count, columns, filledWith: 0)
            table.dots(mine, counts: ours, with: part(inputs, rows), rows: rows.count, into: dots, pool: pool)
            table.sums(
                mine, weights: part(factors, rows), counts: ours, rows: rows.count, into: sums, pool: pool)
            var bits: [UInt32] = []
            for row in 0..<rows.count {
                bits += part(dots, row..<row + 1).array.map(\.bitPattern)
                bits += part(sums, row..<row + 1).array.map(\.bitPattern)
            }
            return bits
        }
        let alone = (0..<rows).flatMap { results($0..<$0 + 1, threads: 1) }
        for threads in 1...3 { #expect(results(0..<rows, threads: threads) == alone) }
        #expect((0..<rows).flatMap { results($0..<$0 + 1, threads: 2) } == alone)
    }
}
