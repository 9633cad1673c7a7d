/// Learns how much the cells of a stream's sketches tremble when nothing moves.
///
/// Noise differs from cell to cell and from frame to frame: two frames apart it is no greater than one frame apart,
/// where a movement has gone on; and it is everywhere, where a movement is at edges above all. The least of the last
/// few levels is noise even if a movement looked like it.
package struct NoiseLevel: Sendable {
    /// Half a second at 30 frames a second.
    private static let memory = 16
    /// Of so many levels one is noise for sure.
    private static let fewest = 4
    /// A cell averages some hundred pixels; beyond this it is movement whatever the camera.
    private static let most: Float = 4
    /// How much greater the difference over two frames may be: cameras smooth their noise over time.
    private static let growth: Float = 1.25
    /// How much greater the third quartile of the differences may be than the first. It is 3.6 in a normal
    /// distribution, more where bright parts are noisier than dark ones, and ten and more in a movement.
    private static let spread: Float = 6
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
            // The difference of two frames, and half of that of each neighbour subtracted: 2 × (1 + ¼ + ¼).
            let (low, high) = comparison.roughness(previous, sketch)
            let level = low / (Self.lowestQuarter * Float(3).squareRoot())
            let isEverywhere = low > 0 && high < Self.spread * low  // none at all: a frame that was sent twice
            if isEverywhere, level < Self.most, comparison.roughness(beforePrevious, sketch).low < Self.growth * low {
                keep(level)
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
