package import Kernels
package import Signal
import Media

/// MobileNetV5 with its fusion neck: a picture to the soft tokens that stand for it in a prompt.
///
/// ```
/// Picture ─► S × S pixels ─► stem S/2 ─► stage 0 S/4 ─► stage 1 S/8 ─► stage 2 S/16 ─► stage 3 S/32
///                                                                          └──────┬───────┘
///                                       [256, text width] ◄─ projection ◄─ neck, 16 × 16
/// ```
/// A `GemmaVisionRun` does the work in pieces of some milliseconds, so that a picture never holds up speech. One
/// encoder has one run at a time: its memory is used again for every picture. Results do not depend on the number of threads.
package final class GemmaVisionEncoder {
    package let weights: GemmaVisionWeights
    let pool: ThreadPool
    let scratch = VisionScratch()
    /// Counts runs: an older one may not go on.
    fileprivate(set) var current = 0

    package init(weights: GemmaVisionWeights, pool: ThreadPool) {
        (self.weights, self.pool) = (weights, pool)
    }

    /// Starts a picture; one that is not finished is given up.
    ///
    /// - Parameters:
    ///   - picture: One channel counts as gray.
    ///   - resolution: The side, in pixels, to which it is stretched: 256, 512 or 768, or another one up to 768.
    package func begin(_ picture: Picture, resolution: Int) -> GemmaVisionRun {
        begin(resolution) { Self.pixels(of: picture, resolution: resolution, into: $0) }
    }

    /// The soft tokens of a picture: [tokens, text width].
    package func encode(_ picture: Picture, resolution: Int) -> Tensor<Float> {
        let run = begin(picture, resolution: resolution)
        while run.advance() {}
        return run.tokens
    }

    /// Gives up the memory of runs; the next one takes it again.
    package func releaseMemory() {
        current += 1
        scratch.release()
    }

    /// What runs hold, in bytes.
    package var scratchByteCount: Int { scratch.byteCount }

    /// - Parameter fill: Writes the pixels: [resolution · resolution, 3], 0...1.
    func begin(_ resolution: Int, fill: @escaping (Tensor<Float>) -> Void) -> GemmaVisionRun {
        precondition((1...GemmaVisionConfig.maxSide).contains(resolution), "\(resolution) pixels")
        current += 1
        return GemmaVisionRun(self, number: current, resolution: resolution, fill: fill)
    }

    /// Stretched to a square without regard to its shape, bilinear with antialias, bytes over 255.
    static func pixels(of picture: Picture, resolution: Int, into pixels: Tensor<Float>) {
        let resized = picture.resized(to: PixelSize(width: resolution, height: resolution))
        let channels = resized.channels
        resized.pixels.withUnsafeBufferPointer { bytes in
            var values = pixels.mutableSpan
            for index in 0..<resolution * resolution * 3 {
                values[index] = Float(bytes[channels == 3 ? index : index / 3]) / 255
            }
        }
    }
}
