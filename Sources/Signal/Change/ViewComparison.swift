package import Media

/// Says how much of a view has changed, whatever the light.
///
/// A cell counts as changed when neither noise nor exposure explains it: the darker view, brightened by the gain and
/// offset that fit best, must meet the brighter one within a tolerance; failing that, the pattern around the cell must
/// be the same at another brightness (mains flicker in bands, highlights that clip, a passing shadow). Exposure is at
/// most `gainLimit`, so that the light going out is a change though its pattern, scaled, would be the same.
package struct ViewComparison: Sendable {
    /// An exposure step is a factor of up to 2; more is the light of the scene.
    static let gainLimit: Float = 2.2
    /// Black level and glare, in levels.
    static let offsetLimit: Float = 16
    /// Levels from which pixels inside a cell may clip, so that it says little of the gain.
    private static let clipping: Float = 200
    /// A cell may differ by this and the share below: coarse JPEG steps and trembling edges.
    private static let toleranceLevels: Float = 4
    private static let toleranceShare: Float = 0.08
    private static let toleranceDeviations: Float = 4
    /// A smaller share of cells is nothing: no need to look closer.
    private static let negligible: Float = 0.005

    /// [rows × columns] 1 where changes count, else 0.
    let weights: [Float]
    let total: Float

    /// - Parameters:
    ///   - zones: only changes inside any of them count; empty: everywhere.
    ///   - mask: changes inside are ignored.
    package init(zones: [UnitRectangle] = [], mask: [UnitRectangle] = []) {
        let zoned = zones.isEmpty ? [Float](repeating: 1, count: LumaSketch.count) : Self.coverage(zones)
        // A cell on a border sees both sides; it counts only where no cell lies wholly inside.
        let inside = (zoned.max() ?? 0) * 0.999
        let masked = Self.coverage(mask)
        weights = zip(zoned, masked).map { $0 > 0 && $0 >= inside && $1 < 0.001 ? 1 : 0 }
        total = weights.reduce(0, +)
    }

    /// Zones and mask leave nothing to look at.
    package var isBlind: Bool { total == 0 }

    /// [rows × columns] the largest share of a cell that lies inside one of the rectangles.
    private static func coverage(_ rectangles: [UnitRectangle]) -> [Float] {
        var coverage = [Float](repeating: 0, count: LumaSketch.count)
        func overlap(_ index: Int, of count: Int, _ low: Double, _ high: Double) -> Double {
            max(0, min(high * Double(count), Double(index + 1)) - max(low * Double(count), Double(index)))
        }
        for (index, _) in coverage.enumerated() {
            let (row, column) = index.quotientAndRemainder(dividingBy: LumaSketch.columns)
            for rectangle in rectangles {
                let share =
                    overlap(column, of: LumaSketch.columns, rectangle.left, rectangle.right)
                    * overlap(row, of: LumaSketch.rows, rectangle.top, rectangle.bottom)
                coverage[index] = max(coverage[index], Float(share))
            }
        }
        return coverage
    }

    /// The share of the watched cells that changed, 0...1. It does not matter which of the two was first.
    package func change(_ one: LumaSketch, _ other: LumaSketch) -> Float {
        guard !isBlind else { return 0 }
        let (dark, bright) = mean(one) <= mean(other) ? (one, other) : (other, one)
        let (changed, count) = unexplained(dark, bright)
        guard Float(count) > Self.negligible * total else { return 0 }
        let same = LocalPattern.matches(dark.cells, bright.cells, gainLimit: Self.gainLimit)
        var rest = Float(0)
        for index in 0..<LumaSketch.count where changed[index] && !same[index] { rest += 1 }
        return rest / total
    }

    /// In levels: in a quarter of the watched cells the change differs from that of the cells beside it by less.
    func lowRoughness(_ one: LumaSketch, _ other: LumaSketch) -> Float {
        var changes = [Float](repeating: 0, count: LumaSketch.count)
        for index in 0..<LumaSketch.count { changes[index] = other.cells[index] - one.cells[index] }
        var roughness = changes
        for index in 1..<LumaSketch.count - 1 {
            roughness[index] = abs(changes[index] - (changes[index - 1] + changes[index + 1]) / 2)
        }
        (roughness[0], roughness[LumaSketch.count - 1]) = (0, 0)
        return quantile(0.25, of: roughness, weights)
    }

    /// The mean luma of the watched cells.
    func mean(_ sketch: LumaSketch) -> Float {
        var sum = Float(0)
        for index in 0..<LumaSketch.count { sum += sketch.cells[index] * weights[index] }
        return sum / max(1, total)
    }

    // MARK: - Exposure

    private struct Exposure {
        var gain: Float = 1
        var offset: Float = 0
    }

    /// The cells that the best of several exposures leaves unexplained.
    private func unexplained(_ dark: LumaSketch, _ bright: LumaSketch) -> (changed: [Bool], count: Int) {
        let noise = Self.toleranceDeviations * max(dark.noise, bright.noise)
        func judge(_ differences: [Float]) -> (changed: [Bool], count: Int) {
            var changed = [Bool](repeating: false, count: LumaSketch.count)
            var count = 0
            for index in 0..<LumaSketch.count {
                let light = max(dark.cells[index], bright.cells[index])
                let tolerance = Self.toleranceLevels + noise + Self.toleranceShare * light
                changed[index] = differences[index] * weights[index] > tolerance
                count += changed[index] ? 1 : 0
            }
            return (changed, count)
        }
        var best = judge(differences(dark, bright, Exposure()))
        var counted = isUnclipped(bright)
        // All cells, then twice those that the fit before explains: an object that moved must not bend the fit.
        for _ in 0..<3 where best.count > 0 {
            let left = differences(dark, bright, exposure(dark, bright, counted))
            let outcome = judge(left)
            if outcome.count < best.count { best = outcome }
            let limit = 1.5 * quantile(0.5, of: left, counted) + 1
            for index in 0..<LumaSketch.count where left[index] > limit { counted[index] = 0 }
        }
        return best
    }

    /// 1 for watched cells that say something of the gain.
    private func isUnclipped(_ bright: LumaSketch) -> [Float] {
        var counted = weights
        for index in 0..<LumaSketch.count where bright.cells[index] >= Self.clipping { counted[index] = 0 }
        return counted.reduce(0, +) * 10 >= total ? counted : weights
    }

    /// The least squares fit `bright ≈ gain × dark + offset`, within the limits.
    private func exposure(_ dark: LumaSketch, _ bright: LumaSketch, _ counted: [Float]) -> Exposure {
        var (n, x, y, xx, xy) = (Float(0), Float(0), Float(0), Float(0), Float(0))
        for index in 0..<LumaSketch.count {
            let (weight, a, b) = (counted[index], dark.cells[index], bright.cells[index])
            n += weight
            x += weight * a
            y += weight * b
            xx += weight * a * a
            xy += weight * a * b
        }
        guard n >= 16 else { return Exposure() }  // too few to fit two numbers
        let spread = xx - x * x / n
        let gain = spread > n ? (xy - x * y / n) / spread : 1
        let limited = min(max(gain, 1 / Self.gainLimit), Self.gainLimit)
        let offset = (y - limited * x) / n
        return Exposure(gain: limited, offset: min(max(offset, -Self.offsetLimit), Self.offsetLimit))
    }

    private func differences(_ dark: LumaSketch, _ bright: LumaSketch, _ exposure: Exposure) -> [Float] {
        var differences = [Float](repeating: 0, count: LumaSketch.count)
        for index in 0..<LumaSketch.count {
            let expected = min(max(exposure.gain * dark.cells[index] + exposure.offset, 0), 255)
            differences[index] = abs(bright.cells[index] - expected)
        }
        return differences
    }

    /// The value below which `share` of the counted ones lie, to within an eighth of a level.
    private func quantile(_ share: Float, of values: [Float], _ counted: [Float]) -> Float {
        let steps: Float = 8
        var histogram = [Int](repeating: 0, count: 256 * Int(steps))
        var count = 0
        for index in 0..<LumaSketch.count where counted[index] > 0 {
            histogram[min(histogram.count - 1, Int(values[index] * steps))] += 1
            count += 1
        }
        var below = 0
        for (step, number) in histogram.enumerated() {
            below += number
            if Float(below) >= share * Float(count) { return step == 0 ? 0 : (Float(step) + 0.5) / steps }
        }
        return 0
    }
}
