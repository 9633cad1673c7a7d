/// Log-mel spectrogram of a growing stretch of sound.
///
/// Radford et al. 2022 §2.2; the spectrum of each frame is computed once, when its last sample arrives, so the features
/// of an utterance cost its new frames only.
/// ```
/// samples ─ frames of windowSamples every hopSamples, Hann ─► power ─ mel filters ─► log10 ─┐ once per frame
///                      features [frames, melBins] ◄─ (max(x, X − 8) + 4) / 4, X = max ◄─────┘ per window()
/// ```
package struct LogMel: Sendable {
    package let configuration: MelConfiguration
    private let plan: MelPlan
    private var samples: [Float] = []
    private var rows: [Float] = []  // [final frames, melBins], log10 of mel power

    package init(configuration: MelConfiguration) {
        self.configuration = configuration
        plan = MelPlan(configuration)
    }

    /// Samples appended since the last `reset()`.
    package var sampleCount: Int { samples.count }

    /// Appends `newSamples`, mono, -1...1, at `sampleRateHz`.
    package mutating func append(_ newSamples: Span<Float>) {
        newSamples.withUnsafeBufferPointer { samples.append(contentsOf: $0) }
        let have = rows.count / configuration.melBins
        let complete = completeFrames
        if complete > have { plan.appendRows(have..<complete, of: samples, end: .max, to: &rows) }
    }

    /// The features of the samples so far, zero-padded or cut to `frames` · hopSamples samples and mirrored at both ends.
    ///
    /// - Parameter frames: at least windowSamples / (2 · hopSamples), rounded up, plus one.
    /// - Returns: [frames, melBins], log10, floored at the window's maximum − 8, scaled as (x + 4) / 4.
    package func window(frames: Int) -> [Float] {
        let (half, hop, melBins) = (configuration.windowSamples / 2, configuration.hopSamples, configuration.melBins)
        let end = frames * hop
        precondition(end > half, "a window of \(frames) frames")
        // Frames whose samples all lie inside the window, and which no sample still to come can change.
        let inside = min(completeFrames, (end - half) / hop + 1)
        var features = Array(rows.prefix(inside * melBins))
        features.reserveCapacity(frames * melBins)
        // Frames that reach over the end of the samples or of the window.
        let firstEmpty = (samples.count + half) / hop + 1
        let firstMirrored = (end - half) / hop + 1
        plan.appendRows(inside..<min(max(inside, firstEmpty), firstMirrored), of: samples, end: end, to: &features)
        // Frames of padding only.
        let silence = configuration.powerFloor
        let silent = max(0, firstMirrored - features.count / melBins)
        features += repeatElement(log10(.init(repeating: silence))[0], count: silent * melBins)
        plan.appendRows(features.count / melBins..<frames, of: samples, end: end, to: &features)
        normalise(&features)
        return features
    }

    /// Forgets the samples from position `count` on; what is appended next follows there.
    package mutating func truncate(toSamples count: Int) {
        precondition((0...samples.count).contains(count), "\(count) of \(samples.count) samples")
        samples.removeLast(samples.count - count)
        rows.removeLast(max(0, rows.count - completeFrames * configuration.melBins))
    }

    /// Forgets all samples; keeps memory.
    package mutating func reset() {
        samples.removeAll(keepingCapacity: true)
        rows.removeAll(keepingCapacity: true)
    }

    /// How many frames no later sample can change. Frame t ends before sample t · hop + window / 2; frame 0 is
    /// mirrored around sample 0 and so reaches one sample further.
    private var completeFrames: Int {
        let half = configuration.windowSamples / 2
        return samples.count > half ? (samples.count - half) / configuration.hopSamples + 1 : 0
    }

    private func normalise(_ features: inout [Float]) {
        features.withUnsafeMutableBufferPointer { features in
            var maximum = -Float.infinity
            for value in features { maximum = max(maximum, value) }
            let floor = maximum - configuration.dynamicRange
            for index in features.indices { features[index] = (max(features[index], floor) + 4) / 4 }
        }
    }
}
