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

        let dots = Tensor<Float>(rows.count, filledWith: 0)
        var output = dots.mutableSpan
        table.dots(rows.span, with: input.span, into: &output)
        let expected = rows.map { row in
            (0..<columns).reduce(0.0) { $0 + Double(values[Int(row) * columns + $1]) * Double(input[$1]) }
        }
        #expect(difference(dots, expected) < 1e-5)

        let weights = random.floats(rows.count)
        let sums = Tensor<Float>(20, filledWith: 1)
        var sum = sums.mutableSpan
        table.addRows(rows.span, weights: weights.span, columns: 10..<30, into: &sum)
        let added = (10..<30).map { column in
            1 + zip(rows, weights).reduce(0.0) { $0 + Double($1.1) * Double(values[Int($1.0) * columns + column]) }
        }
        #expect(difference(sums, added) < 1e-5)
    }
}
