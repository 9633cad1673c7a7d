import func Glibc.exp
import func Glibc.log

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

/// The filters that gather a power spectrum into mel bins: triangles of equal area, their corners equally spaced on
/// Slaney's mel scale from 0 Hz to the Nyquist frequency (Slaney 1998, "Auditory Toolbox"; librosa's default).
struct MelFilters: Sendable {
    /// Where a filter's weights begin: in the spectrum, and in `weights`.
    struct Filter: Sendable {
        var firstBin: Int
        var weights: Range<Int>
    }

    private(set) var filters: [Filter] = []  // [melBins]
    private(set) var weights: [RealTransform.Scalar] = []  // the filters' nonzero weights, one after the other

    init(_ configuration: MelConfiguration) {
        let spectrumBins = configuration.windowSamples / 2 + 1
        let binHz = Double(configuration.sampleRateHz) / Double(configuration.windowSamples)
        let topMel = Self.mel(ofHz: Double(configuration.sampleRateHz) / 2)
        let corners = (0...configuration.melBins + 1).map {
            Self.hz(ofMel: topMel * Double($0) / Double(configuration.melBins + 1))
        }
        for bin in 0..<configuration.melBins {
            let (low, peak, high) = (corners[bin], corners[bin + 1], corners[bin + 2])
            let row = (0..<spectrumBins).map { index in
                let hz = Double(index) * binHz
                return max(0, min((hz - low) / (peak - low), (high - hz) / (high - peak))) * 2 / (high - low)
            }
            let first = row.firstIndex { $0 > 0 } ?? 0
            let last = row.lastIndex { $0 > 0 } ?? first - 1
            filters.append(Filter(firstBin: first, weights: weights.count..<weights.count + last + 1 - first))
            weights += row[first..<last + 1]
        }
    }

    // Linear below 1000 Hz (15 mel), logarithmic above: 27 mel for a factor of 6.4.
    private static func mel(ofHz hz: Double) -> Double {
        hz < 1000 ? 3 * hz / 200 : 15 + 27 * log(hz / 1000) / log(6.4)
    }

    private static func hz(ofMel mel: Double) -> Double {
        mel < 15 ? 200 * mel / 3 : 1000 * exp((mel - 15) * log(6.4) / 27)
    }
}
