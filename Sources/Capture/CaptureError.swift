package import Media

/// What can go wrong between a device or a file and its samples.
package enum CaptureError: Error, Equatable {
    /// There is no such file.
    case fileMissing(path: String)
    /// A file that we may not open.
    case notPermitted(name: String)
    /// A file that cannot be read as sound; `reason` has no full stop.
    case badAudio(path: String, reason: String)
    /// A file or folder that cannot be read as pictures; `reason` has no full stop.
    case badPictures(path: String, reason: String)
    /// A size outside of what a synthetic picture can have.
    case sizeAbsurd(PixelSize)
    /// Numbers outside of what any source can have.
    case formatAbsurd(AudioFormat)
    /// A device that can never deliver, or has no format that we read.
    case deviceUnusable(message: String)
    /// It was there and has gone, or has stopped delivering.
    case lost(device: String, errno: CInt)
}

extension CaptureError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .fileMissing(let path):
            "There is no file '\(path)'. Check the path."
        case .notPermitted(let name):
            "Not permitted to read '\(name)'. Change its permissions."
        case .badAudio(let path, let reason):
            "Cannot read '\(path)' as sound: \(reason). Give a WAV, FLAC, OGG or MP3 file."
        case .badPictures(let path, let reason):
            "Cannot read '\(path)' as pictures: \(reason). Give a JPEG, a folder of JPEGs or an MJPEG stream."
        case .sizeAbsurd(let size):
            "No picture is made of \(size) pixels. "
                + "Use \(TestPattern.sides.lowerBound) to \(TestPattern.sides.upperBound) for width and height."
        case .formatAbsurd(let format):
            "No source delivers \(format). Use \(SoundLimits.rateHz.lowerBound)...\(SoundLimits.rateHz.upperBound) Hz "
                + "and 1...\(SoundLimits.channels.upperBound) channels."
        case .deviceUnusable(let message):
            message
        case .lost(let device, let errno):
            "'\(device)' stopped delivering (\(errorText(errno))). Check its cable and power, then start again."
        }
    }
}

/// What a rate and a channel count may be before anything is allocated for them.
package enum SoundLimits {
    package static let rateHz = 1_000...768_000
    package static let channels = 1...64
}
