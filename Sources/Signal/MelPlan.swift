import func Glibc.cos

/// The tables of one `MelConfiguration` and the arithmetic from samples to log-mel rows; holds no stream.
struct MelPlan: Sendable {
    typealias Lanes = RealTransform.Lanes

    let configuration: MelConfiguration
    private let transform: RealTransform
    private let filters: MelFilters
    private let hann: [Lanes.Scalar]  // [windowSamples], periodic

    init(_ configuration: MelConfiguration) {
        self.configuration = configuration
        transform = RealTransform(size: configuration.windowSamples)
        let rateHz = Double(configuration.sampleRateHz)
        filters = MelFilters(
            count: configuration.melBins, bandHz: 0...rateHz / 2, scale: .slaney,
            spectrumBins: configuration.windowSamples / 2 + 1, binHz: rateHz / Double(configuration.windowSamples),
            isNormalised: true)
        let size = Double(configuration.windowSamples)
        hann = (0..<configuration.windowSamples).map { 0.5 - 0.5 * cos(2 * .pi * Double($0) / size) }
    }

    /// Appends log10 of the mel power of frames `range`, floored at `powerFloor`, to `rows` [frames, melBins].
    ///
    /// Frame t is centred on sample t · hop. Before sample 0 the signal is mirrored, from sample `end` on too; samples
    /// that are missing before `end` are 0. A frame's values depend on its samples alone, not on `range`.
    func appendRows(_ range: Range<Int>, of samples: [Float], end: Int, to rows: inout [Float]) {
        let (window, hop, lanes) = (configuration.windowSamples, configuration.hopSamples, Lanes.scalarCount)
        let spectrumBins = window / 2 + 1
        let stretchCount = window + (lanes - 1) * hop
        withUnsafeTemporaryAllocation(of: Float.self, capacity: stretchCount) { stretch in
            withUnsafeTemporaryAllocation(of: Lanes.self, capacity: 2 * window + spectrumBins) { memory in
                let signal = memory.baseAddress!
                let scratch = signal + window
                let power = scratch + window
                for first in stride(from: range.lowerBound, to: range.upperBound, by: lanes) {
                    let frames = min(lanes, range.upperBound - first)
                    let used = window + (frames - 1) * hop
                    copy(samples, from: first * hop - window / 2, end: end, to: stretch, used: used)
                    spread(stretch, into: signal)
                    transform.power(of: signal, scratch: scratch, into: power)
                    appendLogMel(power, frames: frames, to: &rows)
                }
            }
        }
    }

    /// Fills `stretch` with the first `used` samples of the padded signal from `start` on, then zeros.
    private func copy(
        _ samples: [Float], from start: Int, end: Int, to stretch: UnsafeMutableBufferPointer<Float>, used: Int
    ) {
        if start >= 0 && start + used <= min(end, samples.count) {
            _ = stretch.update(fromContentsOf: samples[start..<start + used])
        } else {
            for index in 0..<used {
                let mirrored = abs(start + index)
                let position = mirrored < end ? mirrored : 2 * (end - 1) - mirrored
                stretch[index] = samples.indices.contains(position) ? samples[position] : 0
            }
        }
        for index in used..<stretch.count { stretch[index] = 0 }
    }

    /// Windows the overlapping frames of `stretch`, each into its lane.
    private func spread(_ stretch: UnsafeMutableBufferPointer<Float>, into signal: UnsafeMutablePointer<Lanes>) {
        let hop = configuration.hopSamples
        let source = stretch.baseAddress!
        hann.withUnsafeBufferPointer { hann in
            for index in 0..<configuration.windowSamples {
                var lanes = Lanes()
                for lane in 0..<Lanes.scalarCount { lanes[lane] = Lanes.Scalar(source[index + lane * hop]) }
                signal[index] = lanes * hann[index]
            }
        }
    }

    private func appendLogMel(_ power: UnsafeMutablePointer<Lanes>, frames: Int, to rows: inout [Float]) {
        let melBins = configuration.melBins
        let floor = SIMD4<Float>(repeating: configuration.powerFloor)
        let base = rows.count
        rows.append(contentsOf: repeatElement(0, count: frames * melBins))
        rows.withUnsafeMutableBufferPointer { rows in
            filters.weights.withUnsafeBufferPointer { weights in
                for (bin, filter) in filters.filters.enumerated() {
                    var sum = Lanes()
                    var spectrum = power + filter.firstBin
                    for index in filter.weights {
                        sum += weights[index] * spectrum.pointee
                        spectrum += 1
                    }
                    let logarithm = log10(pointwiseMax(SIMD4<Float>(sum), floor))
                    for frame in 0..<frames { rows[base + frame * melBins + bin] = logarithm[frame] }
                }
            }
        }
    }
}

/// Logarithm to base 10 of positive, normal numbers, |Δ| ≤ 1e-6.
///
/// x = 2^e · m with m in √½..<√2, and ln m = 2 artanh((m − 1) / (m + 1)) as a series that ends below 1e-9.
func log10(_ x: SIMD4<Float>) -> SIMD4<Float> {
    typealias Lanes = SIMD4<Float>
    let bits = unsafeBitCast(x, to: SIMD4<Int32>.self)
    // Counting exponents from √½ puts the mantissa into √½..<√2.
    let fromRootHalf = bits &- 0x3F35_04F3
    let exponent = Lanes(fromRootHalf &>> 23)
    let mantissa = unsafeBitCast((fromRootHalf & 0x007F_FFFF) &+ 0x3F35_04F3, to: Lanes.self)
    let f = (mantissa - 1) / (mantissa + 1)
    let square = f * f
    var series = Lanes(repeating: 1 / 9)
    for coefficient: Float in [1 / 7, 1 / 5, 1 / 3, 1] { series = series * square + coefficient }
    let logTwo: (high: Float, low: Float) = (1_233 / 4_096, 4.605_038_981_195_214e-6)  // high · exponent is exact
    let twoLogE: Float = 0.868_588_963_806_503_7
    return exponent * logTwo.high + (f * series * twoLogE + exponent * logTwo.low)
}
