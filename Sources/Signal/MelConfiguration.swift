/// The constants of a log-mel front end; a model's are given by the model.
package struct MelConfiguration: Hashable, Sendable {
    package var sampleRateHz: Int
    /// Length of one frame; even, its half without prime factors above 5.
    package var windowSamples: Int  // n_fft
    package var hopSamples: Int  // hop_length
    package var melBins: Int  // n_mels
    /// Smallest mel power told apart from silence.
    package var powerFloor: Float
    /// What lies more than this many powers of ten below the window's maximum is raised to it.
    package var dynamicRange: Float

    package init(
        sampleRateHz: Int, windowSamples: Int, hopSamples: Int, melBins: Int, powerFloor: Float = 1e-10,
        dynamicRange: Float = 8
    ) {
        precondition(sampleRateHz > 0 && melBins > 0, "\(sampleRateHz) Hz, \(melBins) mel bins")
        precondition(hopSamples > 0 && hopSamples <= windowSamples, "hop \(hopSamples) of window \(windowSamples)")
        self.sampleRateHz = sampleRateHz
        self.windowSamples = windowSamples
        self.hopSamples = hopSamples
        self.melBins = melBins
        self.powerFloor = powerFloor
        self.dynamicRange = dynamicRange
    }
}
