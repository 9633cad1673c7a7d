import func Glibc.expf
import func Glibc.tanhf

/// Silero VAD: how likely it is that the last 32 ms hold speech.
///
/// A recurrent network over 16 kHz mono sound (Silero Team, github.com/snakers4/silero-vad); one object is one stream.
/// All activations are frames-major, with one row of zeros around each convolution's input, so that every layer is a
/// `PackedLinear` over overlapping rows:
/// ```
/// 64 samples of context + 512 + 64 mirrored ─► 4 spectra [4, 129] ─ conv, relu ─► [4, 128] ─► [2, 64] ─► [1, 64]
///       probability ◄─ sigmoid ◄─ relu · w ◄─ h [128] ◄─ LSTM, keeps h and c ◄─ [128] ◄─────────────────────┘
/// ```
package final class SileroVAD {
    /// Samples per call of `probability(of:)`: 32 ms.
    package static let chunkSamples = 512
    package static let sampleRateHz = 16_000

    private let weights: SileroWeights
    private var cell = [Float](repeating: 0, count: 128)
    private var hidden = [Float](repeating: 0, count: 128)

    // Buffers; those with a border hold zeros in their first and last row for good.
    private var samples = [Float](repeating: 0, count: 64 + 512 + 64)  // context, chunk, mirror
    private var spectra = [Float](repeating: 0, count: 4 * 288)
    private var magnitudes = [Float](repeating: 0, count: 6 * 129)  // bordered
    private var features1 = [Float](repeating: 0, count: 6 * 128)  // bordered
    private var features2 = [Float](repeating: 0, count: 4 * 64)  // bordered
    private var features3 = [Float](repeating: 0, count: 64)
    private var recurrentInput = [Float](repeating: 0, count: 256)  // x, h
    private var gates = [Float](repeating: 0, count: 512)

    package init(weights: SileroWeights) { self.weights = weights }

    /// Forgets the stream; the next chunk is the first of a new one.
    package func reset() {
        for index in 0..<128 {
            cell[index] = 0
            hidden[index] = 0
        }
        for index in samples.indices { samples[index] = 0 }
    }

    /// Takes the next `chunkSamples` samples, -1...1, of the stream and returns the probability, 0...1, that they hold
    /// speech.
    package func probability(of chunk: Span<Float>) -> Float {
        precondition(chunk.count == Self.chunkSamples, "a chunk of \(chunk.count) samples")
        for index in 0..<64 { samples[index] = samples[512 + index] }
        for index in 0..<512 { samples[64 + index] = chunk[index] }
        for index in 0..<64 { samples[576 + index] = samples[574 - index] }
        encode()
        return decide()
    }

    /// From `samples` to the first half of `recurrentInput`.
    private func encode() {
        weights.spectrum.apply(samples, inputStride: 128, rows: 4, output: &spectra, outputStride: 288)
        for frame in 0..<4 {
            for bin in 0..<129 {
                let (real, imaginary) = (spectra[frame * 288 + bin], spectra[frame * 288 + 129 + bin])
                magnitudes[(frame + 1) * 129 + bin] = (real * real + imaginary * imaginary).squareRoot()
            }
        }
        let layers = weights.convolutions
        features1.withUnsafeMutableBufferPointer { output in
            layers[0].apply(
                magnitudes, inputStride: 129, rows: 4, output: output.baseAddress! + 128, outputStride: 128,
                rectified: true)
        }
        features2.withUnsafeMutableBufferPointer { output in
            layers[1].apply(
                features1, inputStride: 2 * 128, rows: 2, output: output.baseAddress! + 64, outputStride: 64,
                rectified: true)
        }
        layers[2].apply(features2, inputStride: 0, rows: 1, output: &features3, outputStride: 0, rectified: true)
        layers[3].apply(features3, inputStride: 0, rows: 1, output: &recurrentInput, outputStride: 0, rectified: true)
    }

    /// One step of the LSTM and the decision on its output.
    private func decide() -> Float {
        for index in 0..<128 { recurrentInput[128 + index] = hidden[index] }
        weights.recurrent.apply(recurrentInput, inputStride: 0, rows: 1, output: &gates, outputStride: 0)
        var sum = weights.decisionBias
        for index in 0..<128 {
            let (input, forget, output) = (gates[index], gates[128 + index], gates[384 + index])
            cell[index] = sigmoid(forget) * cell[index] + sigmoid(input) * tanhf(gates[256 + index])
            hidden[index] = sigmoid(output) * tanhf(cell[index])
            sum += max(0, hidden[index]) * weights.decision[index]
        }
        return sigmoid(sum)
    }
}

private func sigmoid(_ x: Float) -> Float { 1 / (1 + expf(-x)) }
