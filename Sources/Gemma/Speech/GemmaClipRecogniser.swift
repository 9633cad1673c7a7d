import Kernels
package import Speech

/// A Gemma that hears a window of samples as a whole: what files are transcribed with.
package final class GemmaClipRecogniser: Recogniser {
    private let recogniser: GemmaRecogniser
    private let encoder: GemmaAudioEncoder
    private var samples: [Float] = []

    package init(_ recogniser: GemmaRecogniser, encoder: GemmaAudioEncoder) {
        (self.recogniser, self.encoder) = (recogniser, encoder)
    }

    package var modelName: String { recogniser.modelName }
    package var defaultLanguage: String { recogniser.defaultLanguage }
    package var maxSamples: Int { recogniser.maxSamples }

    package func reset() {
        samples = []
        recogniser.reset()
    }

    package func append(_ sound: [Float]) { samples += sound }

    package func begin(_ draft: Draft, samples count: Int, isFinal: Bool) {
        let rows = encoder.encode(
            samples.span.extracting(0..<count), paddingSamples: encoder.weights.timing.padding(behind: count))
        let tokens = (0..<rows.rows).map { HeardSound.Token(rows: rows, row: $0, ready: count) }
        recogniser.reset()
        recogniser.append(HeardSound(sampleCount: count, tokens: tokens))
        recogniser.begin(draft, samples: count, isFinal: isFinal)
    }

    package func advance() throws -> Hypothesis? { try recogniser.advance() }

    package func abandon() { recogniser.abandon() }
}
