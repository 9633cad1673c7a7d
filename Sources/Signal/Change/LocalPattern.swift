/// The pattern around each cell of a sketch, apart from its brightness.
enum LocalPattern {
    /// The window is 2 × reach + 1 cells wide and high.
    static let reach = 2
    /// The least correlation of windows that show the same.
    private static let sameness: Float = 0.8
    /// Below this deviation, in levels, a window has no pattern that could be recognised.
    private static let flatness: Float = 2

    /// [rows × columns] whether both windows have a pattern, the same, at brightnesses within `gainLimit`.
    static func matches(_ a: [Float], _ b: [Float], gainLimit: Float) -> [Bool] {
        let (meanA, meanB) = (means(a), means(b))
        let (squaresA, squaresB) = (means(product(a, a)), means(product(b, b)))
        let products = means(product(a, b))
        var matches = [Bool](repeating: false, count: LumaSketch.count)
        for index in 0..<LumaSketch.count {
            let (lightA, lightB) = (meanA[index] + 3, meanB[index] + 3)  // black is never quite black
            let varianceA = squaresA[index] - meanA[index] * meanA[index]
            let varianceB = squaresB[index] - meanB[index] * meanB[index]
            let common = products[index] - meanA[index] * meanB[index]
            matches[index] =
                min(varianceA, varianceB) > flatness * flatness && common > 0
                && common * common > sameness * sameness * varianceA * varianceB
                && max(lightA, lightB) <= gainLimit * min(lightA, lightB)
        }
        return matches
    }

    private static func product(_ a: [Float], _ b: [Float]) -> [Float] {
        var product = [Float](repeating: 0, count: a.count)
        for index in 0..<a.count { product[index] = a[index] * b[index] }
        return product
    }

    /// [rows × columns] the mean of each window; beyond the border the outermost cells go on.
    static func means(_ cells: [Float]) -> [Float] {
        let (columns, rows) = (LumaSketch.columns, LumaSketch.rows)
        var sums = [Float](repeating: 0, count: cells.count)
        for row in 0..<rows {
            for offset in -reach...reach {
                let from = min(max(row + offset, 0), rows - 1) * columns
                for column in 0..<columns { sums[row * columns + column] += cells[from + column] }
            }
        }
        var means = [Float](repeating: 0, count: cells.count)
        let side = 2 * reach + 1
        var padded = [Float](repeating: 0, count: columns + 2 * reach)
        for row in 0..<rows {
            for column in 0..<padded.count {
                padded[column] = sums[row * columns + min(max(column - reach, 0), columns - 1)]
            }
            for column in 0..<columns {
                var sum = Float(0)
                for offset in 0..<side { sum += padded[column + offset] }
                means[row * columns + column] = sum / Float(side * side)
            }
        }
        return means
    }
}
