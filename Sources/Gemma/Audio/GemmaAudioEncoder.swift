package import Kernels

/// Gemma 3n's audio encoder.
///
/// ```
/// samples ─ log-mel, 10 ms ─► convolutions ─► frames of 40 ms ─► conformer blocks ─ every 4th ─► projection ─► tokens
///           (FrameMel)        (Subsampling)                      (ConformerBlock)
/// ```
/// Weights are shared, a `GemmaAudioStream` is one sound, and the encoder has the scratch memory of one block: it
/// serves any number of streams by turns, and a stream at work can wait between two quanta while another one works.
/// Results depend neither on how sound is cut into pieces, nor on how many frames go through a block together, nor on
/// the number of threads, bit for bit.
package final class GemmaAudioEncoder {
    package let weights: GemmaAudioWeights
    let pool: ThreadPool
    private var scratch: ConformerScratch

    /// Frames between two tokens go through the blocks together: no token waits for that.
    package static let streamedFrames = 4
    /// Of a sound that is there as a whole: weights are read once for so many frames, about five seconds.
    private static let wholeFrames = 128

    package init(weights: GemmaAudioWeights, pool: ThreadPool) {
        (self.weights, self.pool) = (weights, pool)
        scratch = ConformerScratch(weights, rows: max(Self.streamedFrames, weights.config.reduction))
    }

    /// - Parameter frames: Most frames that a quantum takes through a block.
    package func makeStream(frames: Int = streamedFrames) -> GemmaAudioStream {
        GemmaAudioStream(encoder: self, frames: max(frames, weights.config.reduction))
    }

    /// The tokens of a whole sound.
    ///
    /// - Parameters:
    ///   - samples: Mono, -1...1, 16 kHz.
    ///   - paddingSamples: Zeros behind it; at least 2560 let the last tokens hear all of it.
    /// - Returns: [tokens, text width].
    package func encode(_ samples: Span<Float>, paddingSamples: Int = 0) -> Tensor<Float> {
        let stream = makeStream(frames: Self.wholeFrames)
        stream.append(samples)
        stream.finish(paddingSamples: paddingSamples)
        while stream.advance() {}
        return stream.takeTokens() ?? Tensor(0, weights.textWidth, filledWith: 0)
    }

    /// A block with memory for `rows` frames.
    func block(_ index: Int, rows: Int) -> ConformerBlock {
        if rows > scratch.rows { scratch = ConformerScratch(weights, rows: rows) }
        return ConformerBlock(
            weights: weights.blocks[index], config: weights.config, scratch: scratch, pool: pool)
    }

    /// The first `rows` of `x` as tokens: [rows, text width].
    func tokens(_ x: Tensor<Float>, rows: Int) -> Tensor<Float> {
        let output = Tensor<Float>(rows, weights.textWidth, filledWith: 0)
        weights.embed(x, rows: rows, normed: scratch.normed, into: output, pool: pool)
        return output
    }
}
