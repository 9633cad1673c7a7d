/// The pattern around each cell of a sketch, apart from its brightness.
enum LocalPattern {
    /// The window is 2 × reach + 1 cells wide and high.
    static let reach = 2
    /// The least correlation of windows that show the same.
    private static let sameness: Float = 0.8
    /// Below this deviation, in levels, a window has no pattern that could be recognised.
    private static let flatness: Float = 2
    /// Added to every mean before two are compared: black is never quite black.
    static let blackLevel: Float = 3

    /// [rows × columns] whether both windows have a pattern, the same, at brightnesses within `gainLimit`.
    static func matches(_ a: [Float], _ b: [Float], gainLimit: Float) -> [Bool] {
        let (meanA, meanB) = (means(a), means(b))
        let (squaresA, squaresB) = (means(product(a, a)), means(product(b, b)))
        let products = means(product(a, b))
        var matches = [Bool](repeating: false, count: LumaSketch.count)
        for index in 0..<LumaSketch.count {
            let (lightA, lightB) = (meanA[index] + blackLevel, meanB[index] + blackLevel)
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
        [Float](unsafeUninitializedCapacity: LumaSketch.count) { product, count in
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    for index in 0..<LumaSketch.count { product[index] = a[index] * b[index] }
                }
            }
            count = LumaSketch.count
        }
    }

    /// [rows × columns] the mean of each window; beyond the border the outermost cells go on.
    static func means(_ cells: [Float]) -> [Float] {
        let (columns, rows, side) = (LumaSketch.columns, LumaSketch.rows, 2 * reach + 1)
        var padded = [Float](repeating: 0, count: columns + 2 * reach)
        return [Float](unsafeUninitializedCapacity: LumaSketch.count) { means, count in
            cells.withUnsafeBufferPointer { cells in
                padded.withUnsafeMutableBufferPointer { padded in
                    for row in 0..<rows {
                        for column in 0..<columns { padded[reach + column] = 0 }
                        for offset in -reach...reach {
                            let from = min(max(row + offset, 0), rows - 1) * columns
                            for column in 0..<columns { padded[reach + column] += cells[from + column] }
                        }
                        for column in 0..<reach {
                            padded[column] = padded[reach]
                            padded[reach + columns + column] = padded[reach + columns - 1]
                        }
                        let target = row * columns
                        for column in 0..<columns { means[target + column] = padded[column] }
                        for offset in 1..<side {
                            for column in 0..<columns { means[target + column] += padded[column + offset] }
                        }
                        for column in 0..<columns { means[target + column] /= Float(side * side) }
                    }
                }
            }
            count = LumaSketch.count
        }
    }
}
