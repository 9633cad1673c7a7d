/// Learns how much the cells of a stream's sketches tremble when nothing moves.
///
/// Noise is everywhere, movement only where there are edges: of two successive frames the lowest quarter of the
/// differences is noise however the camera moves, and the least of the last few pairs is so the more.
package struct NoiseLevel: Sendable {
    /// Half a second at 30 frames a second; long enough that a moving picture pauses in it.
    private static let memory = 16
    /// A cell averages some hundred pixels; beyond this it is movement whatever the camera.
    private static let most: Float = 3
    /// A quarter of the absolute values of a normal distribution of deviation 1 lie below.
    private static let lowestQuarter: Float = 0.3186

    private var previous: LumaSketch?
    private var recent: [Float] = []
    private var next = 0

    package init() {}

    /// Takes the next frame of the stream and writes the noise into it.
    package mutating func measure(_ sketch: inout LumaSketch, _ comparison: ViewComparison) {
        if let previous {
            // The difference of two frames has √2 of the deviation of one.
            let difference = comparison.lowDifference(previous, sketch)
            let level = min(difference / (Self.lowestQuarter * Float(2).squareRoot()), Self.most)
            if recent.count < Self.memory {
                recent.append(level)
            } else {
                recent[next] = level
                next = (next + 1) % Self.memory
            }
        }
        sketch.noise = recent.min() ?? 0
        previous = sketch
    }
}
