package import Media

/// What can go wrong in `Signal`.
package enum SignalError: Error, Equatable {
    case rateOutOfRange(rateHz: Int, accepted: ClosedRange<Int>)
    case resamplerRefused(inputRateHz: Int, outputRateHz: Int, reason: String)
    /// Bytes that no picture can be made of.
    case badPicture(reason: String)
    /// A picture of which only a part can be had, where a whole one was asked for.
    case damagedPicture(reason: String)
    /// A picture that would take more memory or time than a picture may.
    case pictureTooLarge(PixelSize, reason: String)
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
        case .badPicture(let reason):
            "The picture cannot be read: \(reason). Use a JPEG that other programs can open; from a camera, try another format."
        case .damagedPicture(let reason):
            "The picture is damaged: \(reason). Use a whole one; from a camera, check its cable and its power."
        case .pictureTooLarge(let size, let reason):
            "The picture of \(size) pixels is too large: \(reason). Scale it down, or save it as a baseline JPEG."
        }
    }
}
