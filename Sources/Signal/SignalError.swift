/// What can go wrong in `Signal`.
package enum SignalError: Error, Equatable {
    case rateOutOfRange(rateHz: Int, accepted: ClosedRange<Int>)
    case resamplerRefused(inputRateHz: Int, outputRateHz: Int, reason: String)
}

extension SignalError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .rateOutOfRange(let rateHz, let accepted):
            "A sample rate of \(rateHz) Hz cannot be resampled. "
                + "Use a rate of \(accepted.lowerBound) to \(accepted.upperBound) Hz."
        case .resamplerRefused(let inputRateHz, let outputRateHz, let reason):
            "libsoxr cannot resample \(inputRateHz) Hz to \(outputRateHz) Hz: \(reason). "
                + "Use a common rate such as 16000, 44100 or 48000 Hz, or free memory."
        }
    }
}
