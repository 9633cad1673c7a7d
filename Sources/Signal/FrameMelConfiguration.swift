/// The constants of a log-mel front end whose frames stand for themselves; a model's are given by the model.
///
/// A spectrum of `fftSamples` is taken of each frame, zeros behind it, and its magnitudes (not powers) are gathered by
/// triangles of height 1 on HTK's mel scale.
package struct FrameMelConfiguration: Hashable, Sendable {
    package var sampleRateHz = 16_000
    package var windowSamples = 512  // frame_length
    package var hopSamples = 160
    /// At least `windowSamples`; even, its half without prime factors above 5.
    package var fftSamples = 1_024
    package var melBins = 128  // feature_size
    package var bandHz = 125.0...7_600.0  // min_frequency, max_frequency
    /// y[n] = x[n] - p x[n - 1] within a frame, y[0] = (1 - p) x[0].
    package var preemphasis = 0.97
    package var inputScale = 1.0
    /// Where the Hann window is sampled: n + this, of `windowSamples`.
    package var windowOffset = 0.0
    package var floor = 1e-5
    /// The floor bounds the logarithm, not the magnitude under it.
    package var floorsLogarithm = false
    /// Subtracted from the logarithms, per bin; empty: nothing is.
    package var mean: [Double] = []  // per_bin_mean
    /// What they are divided by then; empty: they are not.
    package var deviation: [Double] = []  // per_bin_stddev
    /// At its end the sound is filled up with zeros to a multiple of this.
    package var endMultiple = 128

    package init() {}

    /// How many frames a sound of so many samples has. Each needs one sample more than it uses.
    package func frames(ofSamples samples: Int) -> Int {
        let padded = (samples + endMultiple - 1) / endMultiple * endMultiple
        return padded <= windowSamples ? 0 : (padded - windowSamples - 1) / hopSamples + 1
    }

    /// Whether a transform of that length can be made.
    package static func canTransform(samples: Int) -> Bool {
        var rest = samples / 2
        if samples < 4 || samples % 2 != 0 { return false }
        for factor in [2, 3, 5] { while rest % factor == 0 { rest /= factor } }
        return rest == 1
    }
}
