import func Glibc.exp
import func Glibc.log
import func Glibc.log10
import func Glibc.pow

/// The filters that gather a spectrum into mel bins: triangles whose corners are equally spaced on a mel scale.
struct MelFilters: Sendable {
    /// Where a filter's weights begin: in the spectrum, and in `weights`.
    struct Filter: Sendable {
        var firstBin: Int
        var weights: Range<Int>
    }

    private(set) var filters: [Filter] = []  // [melBins]
    private(set) var weights: [RealTransform.Scalar] = []  // the filters' nonzero weights, one after the other

    /// - Parameters:
    ///   - bandHz: From the foot of the first triangle to that of the last.
    ///   - binHz: Distance of neighbours in the spectrum.
    ///   - isNormalised: Triangles of area 1 in Hz; else of height 1.
    init(
        count: Int, bandHz: ClosedRange<Double>, scale: MelScale, spectrumBins: Int, binHz: Double, isNormalised: Bool
    ) {
        let (low, high) = (scale.mel(ofHz: bandHz.lowerBound), scale.mel(ofHz: bandHz.upperBound))
        let corners = (0...count + 1).map { scale.hz(ofMel: low + (high - low) * Double($0) / Double(count + 1)) }
        for bin in 0..<count {
            let (low, peak, high) = (corners[bin], corners[bin + 1], corners[bin + 2])
            let row = (0..<spectrumBins).map { index in
                let hz = Double(index) * binHz
                let height = max(0, min((hz - low) / (peak - low), (high - hz) / (high - peak)))
                return isNormalised ? height * 2 / (high - low) : height
            }
            let first = row.firstIndex { $0 > 0 } ?? 0
            let last = row.lastIndex { $0 > 0 } ?? first - 1
            filters.append(Filter(firstBin: first, weights: weights.count..<weights.count + last + 1 - first))
            weights += row[first..<last + 1]
        }
    }
}

/// How pitch is counted.
enum MelScale: Sendable {
    /// Linear below 1000 Hz (15 mel), logarithmic above: 27 mel for a factor of 6.4 (Slaney 1998, "Auditory Toolbox";
    /// librosa's default).
    case slaney
    /// 2595 log10(1 + f / 700) (O'Shaughnessy 1987; HTK's).
    case htk

    func mel(ofHz hz: Double) -> Double {
        switch self {
        case .slaney: hz < 1000 ? 3 * hz / 200 : 15 + 27 * log(hz / 1000) / log(6.4)
        case .htk: 2595 * log10(1 + hz / 700)
        }
    }

    func hz(ofMel mel: Double) -> Double {
        switch self {
        case .slaney: mel < 15 ? 200 * mel / 3 : 1000 * exp((mel - 15) * log(6.4) / 27)
        case .htk: 700 * (pow(10, mel / 2595) - 1)
        }
    }
}
