package import Signal

extension FrameMelConfiguration {
    /// The constants in a `preprocessor_config.json`; what is not there is as published.
    ///
    /// - Parameters:
    ///   - melBins: As the encoder wants them.
    ///   - source: What messages name.
    /// - Throws: `GemmaError.badConfig` with every problem.
    init(preprocessor values: [String: ConfigValue], melBins: Int, source: String) throws(GemmaError) {
        self.init()
        let reader = ConfigReader(values)
        sampleRateHz = reader.integer("sampling_rate", in: 16_000...16_000, default: sampleRateHz)
        self.melBins = reader.integer("feature_size", in: melBins...melBins, default: melBins)
        windowSamples = reader.integer("frame_length", in: 16...8_192, default: windowSamples)
        hopSamples = reader.integer("hop_length", in: 16...windowSamples, default: hopSamples)
        fftSamples = reader.integer("fft_length", in: windowSamples...16_384, default: fftSamples)
        if hopSamples > windowSamples { reader.note("hop_length", "is larger than frame_length") }
        if fftSamples < windowSamples { reader.note("fft_length", "is smaller than frame_length") }
        if !Self.canTransform(samples: fftSamples) {
            reader.note("fft_length", "is no even number whose half has no prime factors above 5")
        }
        let nyquist = Double(sampleRateHz) / 2
        let low = reader.number("min_frequency", in: 0...nyquist, default: bandHz.lowerBound)
        let high = reader.number("max_frequency", in: 0...nyquist, default: bandHz.upperBound)
        if low < high { bandHz = low...high } else { reader.note("max_frequency", "is not above min_frequency") }
        preemphasis = reader.number("preemphasis", in: 0...1, default: preemphasis)
        if !reader.bool("preemphasis_htk_flavor", default: true), preemphasis > 0 {
            reader.note("preemphasis_htk_flavor", "is false: not supported")
        }
        inputScale = reader.number("input_scale_factor", in: 1e-6...1e6, default: inputScale)
        floor = reader.number("mel_floor", in: 1e-30...1, default: floor)
        _ = reader.number("dither", in: 0...0, default: 0)
        if reader.value("per_bin_mean") != nil {
            mean = Self.numbers(reader, "per_bin_mean", count: melBins, in: -1e6...1e6)
        }
        if reader.value("per_bin_stddev") != nil {
            deviation = Self.numbers(reader, "per_bin_stddev", count: melBins, in: 1e-6...1e6)
        }
        guard reader.problems.list.isEmpty else { throw .badConfig(file: source, problems: reader.problems.list) }
    }

    private static func numbers(
        _ reader: ConfigReader, _ key: String, count: Int, in range: ClosedRange<Double>
    ) -> [Double] {
        // A range that is open above: the next number belongs to it.
        reader.numbers(
            key, count: count, in: range.lowerBound..<range.upperBound.nextUp,
            default: [Double](repeating: range.upperBound, count: count))
    }

    /// The front end of LiteRT's runtime, for weights that were made with it: 16-bit amplitudes, another upper edge, a
    /// window sampled between its points, a floor under the logarithm's value and no filling up at the end.
    ///
    /// - Parameters:
    ///   - mean: Per bin, subtracted; empty: nothing is.
    ///   - deviation: Per bin, divided by; empty: nothing is.
    package static func liteRT(mean: [Double] = [], deviation: [Double] = []) -> FrameMelConfiguration {
        var configuration = FrameMelConfiguration()
        configuration.inputScale = 32_768
        configuration.bandHz = 125...7_500
        configuration.windowOffset = 0.5
        (configuration.floor, configuration.floorsLogarithm) = (1e-6, true)
        (configuration.mean, configuration.deviation) = (mean, deviation)
        configuration.endMultiple = 1
        return configuration
    }
}
