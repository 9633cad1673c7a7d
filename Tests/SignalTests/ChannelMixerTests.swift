import Signal
import Testing
import TestSupport

struct ChannelMixerTests {
    private let rateHz = 8_000

    /// Interleaves channels that are gains times one random signal, plus `noise` of its own in each.
    private func frames(_ count: Int, gains: [Float], noise: Float = 0.001, seed: UInt64 = 1) -> [Float] {
        var random = SplitMix64(seed: seed)
        return (0..<count).flatMap { _ in
            let sample = random.floats(1)[0]
            return gains.map { $0 * sample + random.floats(1, scale: noise)[0] }
        }
    }

    private func mono(_ policy: ChannelPolicy, _ samples: [Float], channels: Int, chunkFrames: Int? = nil) -> [Float] {
        var mixer = ChannelMixer(policy: policy, rateHz: rateHz, channels: channels)
        return pieces(samples, of: chunkFrames.map { $0 * channels }).flatMap { mixer.step($0) } + mixer.finish()
    }

    private func channel(_ index: Int, of channels: Int, _ samples: [Float]) -> [Float] {
        stride(from: index, to: samples.count, by: channels).map { samples[$0] }
    }

    @Test(arguments: ChannelPolicy.allCases, chunkings)
    func piecesEqualWhole(policy: ChannelPolicy, chunk: Int?) {
        // In phase, then cancelling, then the other channel louder: every rule fires on the way.
        let samples =
            frames(8_001, gains: [0.5, 0.4]) + frames(12_000, gains: [0.3, -0.3], seed: 2)
            + frames(20_000, gains: [0.01, 0.9], seed: 3)
        let whole = mono(policy, samples, channels: 2)
        #expect(mono(policy, samples, channels: 2, chunkFrames: chunk) == whole)
        #expect(whole.count == samples.count / 2)
    }

    @Test(arguments: [1, 2, 3, 8])
    func mixIsTheMean(channels: Int) {
        let samples = frames(4_000, gains: (0..<channels).map { 0.3 + 0.1 * Float($0) })
        let mixed = mono(.mix, samples, channels: channels)
        for frame in [0, 1_234, 3_999] {
            let mean = samples[frame * channels..<(frame + 1) * channels].reduce(0, +) / Float(channels)
            #expect(abs(mixed[frame] - mean) < 1e-6)
        }
    }

    @Test(arguments: [1, 2, 6])
    func leftAndRightPickTheirChannel(channels: Int) {
        let samples = frames(1_000, gains: (0..<channels).map { Float($0 + 1) })
        #expect(mono(.left, samples, channels: channels) == channel(0, of: channels, samples))
        #expect(mono(.right, samples, channels: channels) == channel(min(1, channels - 1), of: channels, samples))
    }

    @Test func oppositePhaseFallsBackToTheLouderChannelFromTheFirstSampleAndSaysSoOnce() {
        let samples = frames(16_000, gains: [0.5, -0.55])
        var mixer = ChannelMixer(policy: .mix, rateHz: rateHz, channels: 2)
        var output: [Float] = []
        var notices: [ChannelMixer.Notice] = []
        for piece in pieces(samples, of: 320) {
            output += mixer.step(piece)
            if let notice = mixer.takeNotice() { notices.append(notice) }
        }
        output += mixer.finish()
        #expect(output == channel(1, of: 2, samples))
        #expect(notices == [.mixCancelsItself(channel: 1)])
    }

    @Test func twoSimilarChannelsDoNotTakeTurns() {
        let samples = frames(8_000, gains: [0.5, 0.6]) + frames(80_000, gains: [0.6, 0.5])
        #expect(mono(.loudest, samples, channels: 2) == channel(1, of: 2, samples))
    }

    @Test func mixComesBackWhenTheChannelsAgreeAgain() {
        let samples = frames(8_000, gains: [0.5, -0.5]) + frames(40_000, gains: [0.5, 0.5])
        let mixed = mono(.mix, samples, channels: 2)
        let last = samples.count / 2 - 1
        #expect(mixed[last] == 0.5 * samples[2 * last] + 0.5 * samples[2 * last + 1])
    }

    @Test func unrelatedChannelsAndOneSidedSoundAreMixed() {
        var random = SplitMix64(seed: 9)
        let unrelated = random.floats(32_000)
        let oneSided = frames(16_000, gains: [0.5, 0])
        for samples in [unrelated, oneSided] {
            var mixer = ChannelMixer(policy: .mix, rateHz: rateHz, channels: 2)
            _ = mixer.step(samples)
            #expect(mixer.takeNotice() == nil)
        }
    }

    @Test func loudestFollowsTheLouderChannel() {
        let samples = frames(8_000, gains: [0.1, 0.5, 0.2]) + frames(24_000, gains: [0.1, 0.05, 0.9])
        let output = mono(.loudest, samples, channels: 3)
        #expect(output.prefix(8_000) == channel(1, of: 3, samples).prefix(8_000))
        #expect(output.suffix(8_000) == channel(2, of: 3, samples).suffix(8_000))
    }

    @Test(arguments: ChannelPolicy.allCases)
    func samplesThatAreNotFiniteBecomeZero(policy: ChannelPolicy) {
        let samples: [Float] = [.nan, .nan, .infinity, .infinity, 1, 1, -.infinity, -.infinity]
        #expect(mono(policy, samples, channels: 2) == [0, 0, 1, 0])
        #expect(mono(policy, [.nan, 1, .infinity], channels: 1) == [0, 1, 0])
    }

    @Test func silenceStaysSilenceWithoutANotice() {
        var mixer = ChannelMixer(policy: .mix, rateHz: rateHz, channels: 2)
        #expect(mixer.step(Array(repeating: 0, count: 3_200)) == Array(repeating: 0, count: 1_600))
        #expect(mixer.takeNotice() == nil)
    }
}
