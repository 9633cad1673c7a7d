package import Kernels
import Layers
import Signal

/// A Whisper's encoder and decoder one after the other, for who measures them; `WhisperRecogniser` is what listens.
package final class WhisperHalves {
    private let model: WhisperModel
    private let encoder: WhisperEncoder
    private let decoder: WhisperDecoder
    private let rules: LogitRules
    private var mel: LogMel

    package init(model: WhisperModel, pool: ThreadPool) {
        self.model = model
        encoder = WhisperEncoder(model: model, pool: pool)
        decoder = WhisperDecoder(model: model, pool: pool)
        rules = LogitRules(model: model, timestamps: false)
        mel = LogMel(
            configuration: MelConfiguration(
                sampleRateHz: model.configuration.sampleRateHz, windowSamples: 400,
                hopSamples: model.configuration.hopSamples, melBins: model.configuration.melBins))
    }

    /// Most tokens that the decoder holds.
    package var maxTokens: Int { decoder.capacity }
    /// Tokens of the prompt that `begin` runs.
    package var promptTokens: Int { prompt.count }

    private var prompt: [Int] {
        let special = model.special
        let english = special.isMultilingual ? special.languages["en"].map { [$0, special.transcribe] } ?? [] : []
        return [special.startOfTranscript] + english + [special.noTimestamps]
    }

    /// From sound to the encoder's output, the window no longer than the sound.
    /// - Parameter samples: At most `audioPositions` of 320 samples; a rest of less than one position is left out.
    package func encode(_ samples: Span<Float>) {
        let positions = samples.count / model.configuration.positionSamples
        mel.reset()
        mel.append(samples)
        encoder.begin(features: mel.window(frames: 2 * positions), frames: 2 * positions)
        while !encoder.advance() {}
    }

    /// Takes the encoded window and the prompt.
    /// - Returns: The most probable first token.
    package func begin() -> Int {
        decoder.attend(to: encoder.output, positions: encoder.outputPositions)
        return best(decoder.forward(prompt))
    }

    /// - Returns: The most probable token behind `token`, be it the one that ends a text.
    package func step(_ token: Int) -> Int { best(decoder.forward([token])) }

    private func best(_ logits: Tensor<Float>) -> Int {
        var row = logits.mutableRow(0)
        rules.apply(to: &row, after: [])
        var best = 0
        for token in row.indices where row[token] > row[best] { best = token }
        return best
    }
}
