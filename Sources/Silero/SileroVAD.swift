import Kernels
import Layers

/// Silero VAD: how likely it is that the last 32 ms hold speech.
///
/// A recurrent network over 16 kHz mono sound (Silero Team, github.com/snakers4/silero-vad); one object is one stream.
/// ```
/// 64 samples of context + 512 + 64 mirrored ─► 4 spectra [4, 129] ─ conv, relu ─► [4, 128] ─► [2, 64] ─► [1, 64]
///       probability ◄─ sigmoid ◄─ relu · w ◄─ h [128] ◄─ LSTM, keeps h and c ◄─ [1, 128] ◄──────────────────┘
/// ```
package final class SileroVAD {
    /// Samples per call of `probability(of:)`: 32 ms.
    package static let chunkSamples = 512
    package static let sampleRateHz = 16_000

    private let weights: SileroWeights
    private let state: LSTMCell.State
    private let samples = Tensor<Float>(64 + 512 + 64, 1, filledWith: 0)  // context, chunk, mirror
    private let spectra = Tensor<Float>(4, 258, filledWith: 0)  // [frame, real 129 | imaginary 129]
    private let magnitudes = Tensor<Float>(4, 129, filledWith: 0)
    private let features: [Tensor<Float>] = [(4, 128), (2, 64), (1, 64), (1, 128)].map {
        Tensor<Float>($0, $1, filledWith: 0)
    }
    private let rectified = Tensor<Float>(1, 128, filledWith: 0)
    private let probability = Tensor<Float>(1, 1, filledWith: 0)

    package init(weights: SileroWeights) {
        self.weights = weights
        state = weights.recurrent.makeState()
    }

    /// Forgets the stream; the next chunk is the first of a new one.
    package func reset() {
        state.reset()
        samples.fill(0)
    }

    /// Takes the next `chunkSamples` samples, -1...1, of the stream and returns the probability, 0...1, that they hold
    /// speech.
    package func probability(of chunk: Span<Float>) -> Float {
        precondition(chunk.count == Self.chunkSamples, "a chunk of \(chunk.count) samples")
        samples.copy(samples, from: 512, count: 64, to: 0)
        samples.copy(chunk, to: 64)
        for index in 0..<64 { samples[576 + index, 0] = samples[574 - index, 0] }
        weights.recurrent.step(encode().span, state: state)
        for index in 0..<128 { rectified[0, index] = max(0, state.hidden[0, index]) }
        weights.decision(rectified, rows: 1, into: probability, activation: .sigmoid, pool: .single)
        return probability[0, 0]
    }

    /// From `samples` to the input of the LSTM.
    private func encode() -> Tensor<Float> {
        weights.spectrum(samples, frames: 640, into: spectra, pool: .single)
        for frame in 0..<4 {
            for bin in 0..<129 {
                let (real, imaginary) = (spectra[frame, bin], spectra[frame, 129 + bin])
                magnitudes[frame, bin] = (real * real + imaginary * imaginary).squareRoot()
            }
        }
        var (input, frames) = (magnitudes, 4)
        for (layer, output) in zip(weights.convolutions, features) {
            layer(input, frames: frames, into: output, activation: .relu, pool: .single)
            (input, frames) = (output, layer.outputFrames(frames))
        }
        return input
    }
}
