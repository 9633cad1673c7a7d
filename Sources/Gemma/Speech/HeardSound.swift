package import Kernels
import Speech

/// Sound as Gemma's decoder takes it: soft tokens, each with the place in the sound at which it was complete.
package struct HeardSound: UtteranceSound {
    /// One soft token.
    package struct Token: Sendable {
        /// [≥ row + 1, width of the text model].
        package let rows: Tensor<Float>
        package let row: Int
        /// Samples from the beginning of this sound after which it was complete. At the end of an utterance tokens of
        /// silence complete what came before: they are ready where the sound ends.
        package var ready: Int

        package init(rows: Tensor<Float>, row: Int, ready: Int) {
            (self.rows, self.row, self.ready) = (rows, row, ready)
        }
    }

    package var sampleCount: Int
    package private(set) var tokens: [Token]

    package init() { (sampleCount, tokens) = (0, []) }

    /// - Parameter tokens: In the order of `ready`.
    package init(sampleCount: Int, tokens: [Token]) { (self.sampleCount, self.tokens) = (sampleCount, tokens) }

    package var isEmpty: Bool { sampleCount == 0 && tokens.isEmpty }

    package mutating func takeFirst(_ count: Int) -> HeardSound {
        let ready = tokens.prefix { $0.ready <= count }
        tokens = tokens.dropFirst(ready.count).map { $0.moved(by: -count) }
        sampleCount -= count
        return HeardSound(sampleCount: count, tokens: Array(ready))
    }
}

extension HeardSound.Token {
    func moved(by samples: Int) -> Self {
        var token = self
        token.ready += samples
        return token
    }
}
