/// A picture reduced to what tells one view from another: its light on a coarse grid of the same size for every picture.
///
/// ```
/// JPEG ─eighth-size decode─► luma, say 160 x 90 ─box average─► 64 x 36 cells ─ViewComparison─► share that changed
/// ```
/// A cell averages some hundred pixels of the camera, so that sensor noise all but vanishes, and an edge that trembles
/// by a pixel or two stays below a visible difference.
package struct LumaSketch: Equatable, Sendable {
    package static let columns = 64
    package static let rows = 36
    package static let count = columns * rows

    /// [rows × columns] mean luma, 0...255.
    package let cells: [Float]
    /// Standard deviation of a cell between frames of the same view, in levels: `NoiseLevel` sets it.
    package var noise: Float = 0

    /// - Parameter luma: of one channel, of any size.
    package init(_ luma: Picture) {
        precondition(luma.channels == 1, "\(luma.channels) channels")
        let (width, height) = (luma.width, luma.height)
        var row = [Float](repeating: 0, count: width)
        var sums = [Float](repeating: 0, count: width + 1)  // of the pixels left of an edge
        // The pixel in which each column ends, and how much of it is the column's.
        let edges = (1...Self.columns).map { column in
            let (pixel, rest) = (column * width).quotientAndRemainder(dividingBy: Self.columns)
            return (pixel: min(pixel, width - 1), share: Float(rest) / Float(Self.columns) + (pixel == width ? 1 : 0))
        }
        var cells: [Float] = []
        cells.reserveCapacity(Self.count)
        for band in 0..<Self.rows {
            Self.average(luma, from: Float(band * height) / Float(Self.rows), rows: Self.rows, into: &row)
            for x in 0..<width { sums[x + 1] = sums[x] + row[x] }
            var left = Float(0)
            for edge in edges {
                let right = sums[edge.pixel] + row[edge.pixel] * edge.share
                cells.append((right - left) * Float(Self.columns) / Float(width))
                left = right
            }
        }
        self.cells = cells
    }

    /// The mean of the picture's rows from `top` on, over a `rows`-th of its height.
    private static func average(_ luma: Picture, from top: Float, rows: Int, into row: inout [Float]) {
        let (width, height) = (luma.width, luma.height)
        let bottom = min(top + Float(height) / Float(rows), Float(height))
        for x in 0..<width { row[x] = 0 }
        for y in Int(top)..<max(Int(top) + 1, min(height, Int(bottom.rounded(.up)))) {
            let share = (min(bottom, Float(y + 1)) - max(top, Float(y))) / (bottom - top)
            guard share > 0 else { continue }
            luma.pixels.withUnsafeBufferPointer { pixels in
                row.withUnsafeMutableBufferPointer { row in
                    for x in 0..<width { row[x] += share * Float(pixels[y * width + x]) }
                }
            }
        }
    }
}
