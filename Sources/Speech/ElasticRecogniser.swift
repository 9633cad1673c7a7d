/// One of two recognisers for each utterance: the usual one, or a smaller one while the machine cannot keep up.
package final class ElasticRecogniser<Model: Recogniser>: Recogniser {
    private let usual: Model
    private let smaller: Model
    private let wantsSmaller: () -> Bool
    private var chosen: Model

    /// - Parameter wantsSmaller: Asked when an utterance begins.
    package init(usual: Model, smaller: Model, wantsSmaller: @escaping () -> Bool) {
        (self.usual, self.smaller, self.wantsSmaller) = (usual, smaller, wantsSmaller)
        chosen = usual
    }

    package var modelName: String { chosen.modelName }
    package var defaultLanguage: String { chosen.defaultLanguage }
    package var maxSamples: Int { min(usual.maxSamples, smaller.maxSamples) }

    package func reset() {
        chosen.reset()
        chosen = wantsSmaller() ? smaller : usual
        chosen.reset()
    }

    package func append(_ sound: Model.Sound) { chosen.append(sound) }

    package func listen() throws -> Bool { try chosen.listen() }

    package func begin(_ draft: Draft, samples: Int, isFinal: Bool) {
        chosen.begin(draft, samples: samples, isFinal: isFinal)
    }

    package func advance() throws -> Hypothesis? { try chosen.advance() }

    package func abandon() { chosen.abandon() }

    package func anchor(_ hypothesis: Hypothesis, samples: Int) -> Bool {
        chosen.anchor(hypothesis, samples: samples)
    }
}
