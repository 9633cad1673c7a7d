import func Glibc.cos
import func Glibc.log

/// Log-mel features of a growing sound, frame by frame: frame j is made of samples hop · j ... hop · j + window - 1.
///
/// ```
/// samples ─ frames ─ pre-emphasis, Hann ─► |spectrum| ─ mel triangles ─► ln ─ mean, deviation ─► [frames, melBins]
/// ```
/// A frame depends on its samples alone, so features do not depend on how the sound arrives. In contrast to `LogMel`
/// nothing is mirrored at the ends, nothing is scaled by what comes later, and what has been taken is forgotten.
package struct FrameMel: Sendable {
    package let configuration: FrameMelConfiguration
    private let plan: FrameMelPlan
    /// What frames still to come need, from `samples[start]` on; the first is sample hop · `framesTaken` of the sound.
    private var samples: [Float] = []
    private var start = 0
    /// Frames taken so far.
    package private(set) var framesTaken = 0
    /// Samples of the sound so far, the padding of `finish` included.
    package private(set) var sampleCount = 0
    /// How many frames the sound has; known when it has ended. One more may have been ready before.
    package private(set) var frameCount: Int?

    package init(configuration: FrameMelConfiguration) {
        self.configuration = configuration
        plan = FrameMelPlan(configuration)
    }

    /// Appends `newSamples`, mono, -1...1, at `sampleRateHz`. What is no number counts as silence.
    package mutating func append(_ newSamples: Span<Float>) {
        precondition(frameCount == nil, "sound behind its end")
        let first = samples.count
        newSamples.withUnsafeBufferPointer { samples.append(contentsOf: $0) }
        for index in first..<samples.count where !samples[index].isFinite { samples[index] = 0 }
        sampleCount += newSamples.count
    }

    /// Ends the sound behind `paddingSamples` zeros.
    package mutating func finish(paddingSamples: Int = 0) {
        precondition(frameCount == nil && paddingSamples >= 0, "\(paddingSamples) samples behind the end")
        sampleCount += paddingSamples
        let count = configuration.frames(ofSamples: sampleCount)
        frameCount = count
        let needed = (count - framesTaken - 1) * configuration.hopSamples + configuration.windowSamples
        let held = samples.count - start
        if count > framesTaken, held < needed { samples += repeatElement(0, count: needed - held) }
    }

    /// Frames that can be taken now.
    package var framesReady: Int {
        if let frameCount { return max(0, frameCount - framesTaken) }
        let held = samples.count - start
        let (window, hop) = (configuration.windowSamples, configuration.hopSamples)
        return held < window ? 0 : (held - window) / hop + 1
    }

    /// Takes the next `count` frames.
    /// - Parameter rows: [count, melBins].
    package mutating func take(_ count: Int, into rows: inout MutableSpan<Float>) {
        precondition(count <= framesReady && rows.count == count * configuration.melBins, "\(count) of \(framesReady)")
        samples.withUnsafeBufferPointer { samples in
            plan.fill(&rows, frames: count, from: UnsafeBufferPointer(rebasing: samples[start...]))
        }
        framesTaken += count
        start = min(start + count * configuration.hopSamples, samples.count)
        if start > samples.count / 2 {  // moved seldom enough to cost nothing
            samples.removeFirst(start)
            start = 0
        }
    }

    /// Forgets the sound; keeps memory.
    package mutating func reset() {
        samples.removeAll(keepingCapacity: true)
        (start, framesTaken, sampleCount, frameCount) = (0, 0, 0, nil)
    }
}

/// The tables of one `FrameMelConfiguration` and the arithmetic from samples to features; holds no stream.
private struct FrameMelPlan: Sendable {
    typealias Lanes = RealTransform.Lanes

    let configuration: FrameMelConfiguration
    let transform: RealTransform
    let filters: MelFilters
    let hann: [Float]  // [windowSamples], times the scale of the input

    init(_ configuration: FrameMelConfiguration) {
        let c = configuration
        self.configuration = c
        precondition(c.fftSamples >= c.windowSamples && c.hopSamples > 0 && c.melBins > 0, "\(c)")
        precondition(c.mean.isEmpty || c.mean.count == c.melBins, "\(c.mean.count) means")
        precondition(c.deviation.isEmpty || c.deviation.count == c.melBins, "\(c.deviation.count) deviations")
        transform = RealTransform(size: c.fftSamples)
        filters = MelFilters(
            count: c.melBins, bandHz: c.bandHz, scale: .htk, spectrumBins: c.fftSamples / 2 + 1,
            binHz: Double(c.sampleRateHz) / Double(c.fftSamples), isNormalised: false)
        hann = (0..<c.windowSamples).map {
            Float((0.5 - 0.5 * cos(2 * .pi * (Double($0) + c.windowOffset) / Double(c.windowSamples))) * c.inputScale)
        }
    }

    /// - Parameter samples: The first belongs to the first frame.
    func fill(_ rows: inout MutableSpan<Float>, frames: Int, from samples: UnsafeBufferPointer<Float>) {
        let (size, lanes) = (configuration.fftSamples, Lanes.scalarCount)
        withUnsafeTemporaryAllocation(of: Lanes.self, capacity: 2 * size + size / 2 + 1) { memory in
            let signal = memory.baseAddress!
            let scratch = signal + size
            let spectrum = scratch + size
            for first in stride(from: 0, to: frames, by: lanes) {
                let count = min(lanes, frames - first)
                spread(samples, firstFrame: first, count: count, into: signal)
                transform.power(of: signal, scratch: scratch, into: spectrum)
                for bin in 0...size / 2 { spectrum[bin] = spectrum[bin].squareRoot() }
                gather(spectrum, firstFrame: first, count: count, into: &rows)
            }
        }
    }

    /// Emphasises and windows `count` frames, each into its lane, and puts zeros behind. Rounded to 32 bits where the published
    /// preprocessor rounds: the logarithm of what is nearly silent shows it.
    private func spread(
        _ samples: UnsafeBufferPointer<Float>, firstFrame: Int, count: Int, into signal: UnsafeMutablePointer<Lanes>
    ) {
        let (window, hop) = (configuration.windowSamples, configuration.hopSamples)
        for index in window..<configuration.fftSamples { signal[index] = Lanes() }
        for index in 0..<window { signal[index] = Lanes() }
        let preemphasis = Float(configuration.preemphasis)
        for lane in 0..<count {
            let frame = samples.baseAddress! + (firstFrame + lane) * hop
            var before = frame[0]
            for index in 0..<window {
                let sample = frame[index]
                signal[index][lane] = Double((sample - preemphasis * before) * hann[index])
                before = sample
            }
        }
    }

    private func gather(
        _ spectrum: UnsafeMutablePointer<Lanes>, firstFrame: Int, count: Int, into rows: inout MutableSpan<Float>
    ) {
        let c = configuration
        filters.weights.withUnsafeBufferPointer { weights in
            for (bin, filter) in filters.filters.enumerated() {
                var sum = Lanes()
                var magnitude = spectrum + filter.firstBin
                for index in filter.weights {
                    sum += weights[index] * magnitude.pointee
                    magnitude += 1
                }
                for lane in 0..<count {
                    var value = c.floorsLogarithm ? max(log(sum[lane]), c.floor) : log(max(sum[lane], c.floor))
                    if !c.mean.isEmpty { value -= c.mean[bin] }
                    if !c.deviation.isEmpty { value /= c.deviation[bin] }
                    rows[(firstFrame + lane) * c.melBins + bin] = Float(value)
                }
            }
        }
    }
}
