import Kernels

/// Brings a square map to another side: the mean of whole squares where they fit, else bilinear without antialias.
struct VisionGrid {
    let source, target: Int

    init(from source: Int, to target: Int) { (self.source, self.target) = (source, target) }

    /// - Parameters:
    ///   - map: [source · source, channels].
    ///   - output: The row goes to its rows from `first` on.
    func makeRow(_ row: Int, of map: Tensor<Float>, into output: Tensor<Float>, at first: Int) {
        if source == target {
            output.copy(
                map, from: row * source * map.columns, count: source * map.columns, to: first * map.columns)
            return
        }
        let vertical = taps(of: row)
        for column in 0..<target {
            var pixel = output.mutableRow(first + column)
            for index in pixel.indices { pixel[index] = 0 }
            for (y, high) in vertical {
                for (x, wide) in taps(of: column) { axpy(high * wide, map.row(y * source + x), into: &pixel) }
            }
        }
    }

    /// Which rows or columns make one, and with what weight.
    private func taps(of index: Int) -> [(Int, Float)] {
        if source % target == 0 {
            let ratio = source / target
            return (index * ratio..<(index + 1) * ratio).map { ($0, 1 / Float(ratio)) }
        }
        let centre = max(0, (Double(index) + 0.5) * Double(source) / Double(target) - 0.5)
        let low = min(Int(centre), source - 1)
        let weight = Float(centre - Double(low))
        return [(low, 1 - weight), (min(low + 1, source - 1), weight)]
    }
}
