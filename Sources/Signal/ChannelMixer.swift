/// Which channels of a recording are listened to.
package enum ChannelPolicy: String, CaseIterable, Sendable {
    /// The mean of all channels; falls back to the louder channel where the channels cancel each other.
    case mix
    case left
    /// The second channel; the only one of a mono source.
    case right
    /// The channel with the most power, followed slowly.
    case loudest
}

/// Makes one channel of many, by a `ChannelPolicy`.
///
/// `mix` and `loudest` of several channels decide over blocks of 20 ms counted from the stream's start, so their
/// output trails the input by up to one block; a change of mind is a linear fade over one block. Samples that are not
/// finite become 0.
package struct ChannelMixer: Sendable {
    /// Something the listener should be told.
    package enum Notice: Equatable, Sendable {
        /// The mix cancels itself (a channel with reversed polarity); `channel`, from 0, is heard instead.
        case mixCancelsItself(channel: Int)
    }

    package let policy: ChannelPolicy
    package let channels: Int
    private let blockFrames: Int
    private var pending: [Float] = []  // interleaved; less than a block
    private var levels: ChannelLevels
    private var weights: [Float] = []  // one per channel; empty before the first block
    private var notice: Notice?
    private var noticeGiven = false

    /// `rateHz` and `channels` are those of the interleaved input, both > 0.
    package init(policy: ChannelPolicy, rateHz: Int, channels: Int) {
        precondition(rateHz > 0 && channels > 0, "\(rateHz) Hz, \(channels) channels")
        self.policy = policy
        self.channels = channels
        blockFrames = max(1, rateHz / 50)
        levels = ChannelLevels(channels: channels)
    }

    /// Takes interleaved samples, whole frames, and returns the mono samples that are ready.
    package mutating func step(_ interleaved: [Float]) -> [Float] {
        precondition(interleaved.count % channels == 0, "\(interleaved.count) samples of \(channels) channels")
        if let channel = fixedChannel {
            return stride(from: channel, to: interleaved.count, by: channels).map { finite(interleaved[$0]) }
        }
        pending += interleaved.lazy.map(finite)
        var mono: [Float] = []
        mono.reserveCapacity(pending.count / channels)
        let blockSamples = blockFrames * channels
        var taken = 0
        while pending.count - taken >= blockSamples {
            mix(pending[taken..<taken + blockSamples], into: &mono)
            taken += blockSamples
        }
        pending.removeFirst(taken)
        return mono
    }

    /// Returns the rest of the stream; then only `reset()` is legal.
    package mutating func finish() -> [Float] {
        var mono: [Float] = []
        if !pending.isEmpty { mix(pending[...], into: &mono) }
        pending = []
        return mono
    }

    /// Forgets the stream; a notice already given is not given again.
    package mutating func reset() {
        pending = []
        weights = []
        levels = ChannelLevels(channels: channels)
    }

    /// The notice that came up since the last call; each kind comes once in the mixer's life.
    package mutating func takeNotice() -> Notice? {
        defer { notice = nil }
        return notice
    }

    /// The channel to copy where the policy leaves no choice.
    private var fixedChannel: Int? {
        if channels == 1 { return 0 }
        return switch policy {
        case .left: 0
        case .right: 1
        case .mix, .loudest: nil
        }
    }

    private mutating func mix(_ block: ArraySlice<Float>, into mono: inout [Float]) {
        levels.update(with: block)
        let next: [Float]
        if policy == .mix && !levels.mixCancels {
            next = Array(repeating: 1 / Float(channels), count: channels)
        } else {
            next = (0..<channels).map { $0 == levels.loudest ? 1 : 0 }
            if policy == .mix && !noticeGiven {
                notice = .mixCancelsItself(channel: levels.loudest)
                noticeGiven = true
            }
        }
        let previous = weights.isEmpty ? next : weights
        weights = next

        let frames = block.count / channels
        for frame in 0..<frames {
            let progress = Float(frame + 1) / Float(frames)
            var sum: Float = 0
            for channel in 0..<channels {
                let weight = previous[channel] + (next[channel] - previous[channel]) * progress
                sum += weight * block[block.startIndex + frame * channels + channel]
            }
            mono.append(sum)
        }
    }
}

/// Slowly moving power of each channel and of their mean, with the two decisions that rest on them.
private struct ChannelLevels {
    private var power: [Double]
    private var mixPower = 0.0
    private(set) var loudest = 0
    private(set) var mixCancels = false
    private var isFirst = true

    private let keep = 0.98  // per block of 20 ms: a memory of 1 s, longer than a word
    // Two equal channels of correlation r mix to (1 + r) / 2 of their power: in at r < −0.9, out at r > −0.6.
    private let cancelsBelow = 0.05
    private let cancelsUntil = 0.2
    private let louderBy = 2.0  // 3 dB: two similar channels do not take turns

    init(channels: Int) { power = Array(repeating: 0, count: channels) }

    /// Takes the next block, interleaved, finite.
    mutating func update(with block: ArraySlice<Float>) {
        let channels = power.count
        for channel in 0..<channels { power[channel] *= keep }
        mixPower *= keep
        var index = block.startIndex
        while index < block.endIndex {
            var sum = 0.0
            for channel in 0..<channels {
                let sample = Double(block[index + channel])
                power[channel] += sample * sample
                sum += sample
            }
            mixPower += sum * sum / Double(channels * channels)
            index += channels
        }
        let best = power.indices.max { power[$0] < power[$1] } ?? 0
        if power[best] > (isFirst ? 1 : louderBy) * power[loudest] { loudest = best }
        isFirst = isFirst && power[best] == 0  // digital silence is no reason to hold on to a channel
        let mean = power.reduce(0, +) / Double(channels)
        mixCancels = mixPower < (mixCancels ? cancelsUntil : cancelsBelow) * mean
    }
}

/// `sample`, or 0 where it is NaN or infinite.
private func finite(_ sample: Float) -> Float { sample.isFinite ? sample : 0 }
