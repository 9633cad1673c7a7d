extension ViewComparison {
    /// At least this share changes when a view is replaced by another.
    private static let cutShare: Float = 0.3
    /// The correlation, at the best shift, that two unrelated views hardly ever reach and a moving camera always does.
    private static let alikeness: Float = 0.6

    /// Whether `new` is another view than `old`, or the light has gone or come: no movement leads from one to the other.
    package func isCut(from old: LumaSketch, to new: LumaSketch) -> Bool {
        guard change(old, new) >= Self.cutShare else { return false }
        let (was, now) = (mean(old) + LocalPattern.blackLevel, mean(new) + LocalPattern.blackLevel)
        return max(was, now) > Self.gainLimit * min(was, now) || bestShiftedCorrelation(old, new) < Self.alikeness
    }

    /// The correlation of what stands out from its surroundings, at the shift where it is greatest. A shift is at most
    /// a quarter of the picture: what a camera can turn within a few frames.
    func bestShiftedCorrelation(_ one: LumaSketch, _ other: LumaSketch) -> Float {
        let (a, b) = (relief(one), relief(other))
        let (columns, rows) = (LumaSketch.columns / 2, LumaSketch.rows / 2)
        var best = Float(0)
        for down in -rows / 4...rows / 4 {
            for right in -columns / 4...columns / 4 {
                var (ab, aa, bb) = (Float(0), Float(0), Float(0))
                for row in max(0, down)..<rows + min(0, down) {
                    let (from, to) = (row * columns, (row - down) * columns - right)
                    for column in max(0, right)..<columns + min(0, right) {
                        let (x, y) = (a[from + column], b[to + column])
                        ab += x * y
                        aa += x * x
                        bb += y * y
                    }
                }
                if aa > 0, bb > 0 { best = max(best, ab / (aa * bb).squareRoot()) }
            }
        }
        return best
    }

    /// [rows / 2 × columns / 2] the watched cells less the mean around them.
    private func relief(_ sketch: LumaSketch) -> [Float] {
        let means = LocalPattern.means(sketch.cells)
        let (columns, rows) = (LumaSketch.columns, LumaSketch.rows)
        var relief = [Float](repeating: 0, count: rows / 2 * columns / 2)
        for row in 0..<rows {
            for column in 0..<columns {
                let index = row * columns + column
                relief[row / 2 * (columns / 2) + column / 2] += (sketch.cells[index] - means[index]) * weights[index]
            }
        }
        return relief
    }
}
