import Media
import Signal

/// Any sound to mono at one rate: channel policy, then resampler, for as long as the input's format stays.
final class SpeechChain {
    private let inputRateHz: Int
    private let outputRateHz: Int
    private let channels: Int
    private var mixer: ChannelMixer
    private var resampler: Resampler
    private var framesIn = 0
    private var samplesOut = 0
    /// Stream time after the last frame taken.
    private(set) var inputEnd = MediaTime.zero

    /// - Throws: `SignalError` for a rate that no source has.
    init(rateHz: Int, policy: ChannelPolicy, like block: AudioBlock) throws(SignalError) {
        (inputRateHz, outputRateHz, channels) = (block.rateHz, rateHz, block.channels)
        mixer = ChannelMixer(policy: policy, rateHz: block.rateHz, channels: block.channels)
        resampler = try Resampler(inputRateHz: block.rateHz, outputRateHz: rateHz)
    }

    func fits(_ block: AudioBlock) -> Bool { block.rateHz == inputRateHz && block.channels == channels }

    /// Takes interleaved frames; returns the mono samples that are ready.
    func step(_ block: AudioBlock) -> [Float] {
        framesIn += block.frames
        inputEnd = block.end
        let samples = resampler.step(mixer.step(block.samples))
        samplesOut += samples.count
        return samples
    }

    /// Returns the rest.
    func finish() -> [Float] {
        let samples = resampler.step(mixer.finish()) + resampler.finish()
        samplesOut += samples.count
        return samples
    }

    /// Length of what was taken and has not come out yet.
    var pending: MediaTime {
        MediaTime(samples: framesIn, rateHz: inputRateHz) - MediaTime(samples: samplesOut, rateHz: outputRateHz)
    }

    /// What a listener should know, said once.
    func takeNotice() -> String? {
        switch mixer.takeNotice() {
        case .mixCancelsItself(let channel):
            "the mix of the channels cancels itself, so channel \(channel + 1) is heard instead; set `channel` to silence this"
        case nil: nil
        }
    }
}
