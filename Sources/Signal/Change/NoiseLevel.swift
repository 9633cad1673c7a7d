/// Learns how much the cells of a stream's sketches tremble when nothing moves.
///
/// Noise differs from cell to cell and from frame to frame: two frames apart it is no greater than one frame apart,
/// where a movement has gone on. The least of the last few levels is noise even if a movement looked like it.
package struct NoiseLevel: Sendable {
    /// Half a second at 30 frames a second.
    private static let memory = 16
    /// Of so many levels one is noise for sure.
    private static let fewest = 4
    /// A cell averages some hundred pixels; beyond this it is movement whatever the camera.
    private static let most: Float = 3
    /// How much greater the difference over two frames may be: cameras smooth their noise over time.
    private static let growth: Float = 1.25
    /// A quarter of the absolute values of a normal distribution of deviation 1 lie below.
    private static let lowestQuarter: Float = 0.3186

    private var previous: LumaSketch?
    private var beforePrevious: LumaSketch?
    private var recent: [Float] = []
    private var next = 0

    package init() {}

    /// Takes the next frame of the stream and writes the noise into it.
    package mutating func measure(_ sketch: inout LumaSketch, _ comparison: ViewComparison) {
        if let previous, let beforePrevious {
            let roughness = comparison.lowRoughness(previous, sketch)
            // None at all: a frame that was sent twice.
            if roughness > 0, comparison.lowRoughness(beforePrevious, sketch) < Self.growth * roughness {
                // The difference of two frames, and half of that of each neighbour subtracted: 2 × (1 + ¼ + ¼).
                keep(min(roughness / (Self.lowestQuarter * Float(3).squareRoot()), Self.most))
            }
        }
        sketch.noise = recent.count < Self.fewest ? 0 : recent.min() ?? 0
        beforePrevious = previous
        previous = sketch
    }

    private mutating func keep(_ level: Float) {
        if recent.count < Self.memory {
            recent.append(level)
        } else {
            recent[next] = level
            next = (next + 1) % Self.memory
        }
    }
}
