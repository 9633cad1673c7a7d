import Signal

/// When tokens of a sound are there, in samples.
package struct GemmaAudioTiming: Sendable, Equatable {
    /// From one token to the next: 2560, 160 ms.
    package let tokenSamples: Int
    /// What token 0 needs: 1472, six frames of look-ahead and a window.
    package let firstSamples: Int

    /// What a mel frame is made of: less sound than that at the end makes no difference that could be heard.
    package let windowSamples: Int

    /// Silence to put behind a sound of so many samples, so that a token hears its end.
    package func padding(behind samples: Int) -> Int {
        // The reference's last token begins within the sound and looks ahead as far as any.
        let tokens = max(1, (samples - windowSamples + tokenSamples - 1) / tokenSamples)
        return samples - ready(token: tokens - 1) >= windowSamples ? tokenSamples : 0
    }

    /// Samples from the beginning of the sound after which token `number` can be made, unless the sound ends before.
    package func ready(token number: Int) -> Int { number * tokenSamples + firstSamples }
}

extension GemmaAudioWeights {
    package var timing: GemmaAudioTiming {
        // Two convolutions of stride 2 make a frame of four, and look two and four frames ahead.
        let (hop, frameHops, lookaheadHops) = (mel.hopSamples, 4, 6)
        return GemmaAudioTiming(
            tokenSamples: hop * frameHops * config.reduction, firstSamples: hop * lookaheadHops + mel.windowSamples,
            windowSamples: mel.windowSamples)
    }
}
