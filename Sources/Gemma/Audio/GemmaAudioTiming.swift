import Signal

/// When tokens of a sound are there, in samples.
package struct GemmaAudioTiming: Sendable, Equatable {
    /// From one token to the next: 2560, 160 ms.
    package let tokenSamples: Int
    /// What token 0 needs: 1472, six frames of look-ahead and a window.
    package let firstSamples: Int

    /// Samples from the beginning of the sound after which token `number` can be made, unless the sound ends before.
    package func ready(token number: Int) -> Int { number * tokenSamples + firstSamples }
}

extension GemmaAudioWeights {
    package var timing: GemmaAudioTiming {
        // Two convolutions of stride 2 make a frame of four, and look two and four frames ahead.
        let (hop, frameHops, lookaheadHops) = (mel.hopSamples, 4, 6)
        return GemmaAudioTiming(
            tokenSamples: hop * frameHops * config.reduction, firstSamples: hop * lookaheadHops + mel.windowSamples)
    }
}
