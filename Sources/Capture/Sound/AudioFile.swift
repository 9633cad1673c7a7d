import CSndfile
import Glibc
import Media

/// A sound file that is open for reading: WAV in its forms, FLAC, OGG, MP3, AIFF; whatever libsndfile reads.
///
/// Only regular files are opened, so neither a pipe nor a device can make us wait. Nothing is allocated by what a
/// header claims: memory follows the caller's `maxFrames`.
package struct AudioFile: ~Copyable, Sendable {
    package let path: String
    package let rateHz: Int
    package let channels: Int
    /// Frames as the header has it: a claim, good for showing progress and for nothing else.
    package let claimedFrames: Int
    /// Frames read since the start of the file.
    package private(set) var position = 0
    /// Known once the end is reached; nil if the file holds what it claims, or leaves it open.
    package private(set) var earlyEnd: EarlyEnd?
    private let promisedFrames: Int?
    private nonisolated(unsafe) let file: OpaquePointer  // SNDFILE*, used by the owner of this value only

    /// - Throws: `fileMissing`, `notPermitted`, or `badAudio` for anything that is not sound within `SoundLimits`.
    package init(path: String) throws(CaptureError) {
        let descriptor = try openRegularFile(path) { .badAudio(path: path, reason: $0) }
        let promise = WAVPromise(descriptor: descriptor)
        var info = SF_INFO()
        // libsndfile owns the descriptor from here on, also when it fails.
        guard let file = sf_open_fd(descriptor, CInt(SFM_READ), &info, CInt(SF_TRUE)) else {
            throw .badAudio(path: path, reason: openingReason())
        }
        guard SoundLimits.rateHz.contains(Int(info.samplerate)), SoundLimits.channels.contains(Int(info.channels))
        else {
            sf_close(file)
            throw .badAudio(path: path, reason: "it claims \(info.samplerate) Hz and \(info.channels) channels")
        }
        self.path = path
        self.file = file
        rateHz = Int(info.samplerate)
        channels = Int(info.channels)
        claimedFrames = max(0, Int(info.frames))
        promisedFrames = Self.promisedFrames(claimed: claimedFrames, promise)
    }

    /// What a whole file would hold; nil if it does not say, as an Ogg stream that was cut.
    private static func promisedFrames(claimed: Int, _ promise: WAVPromise?) -> Int? {
        guard let promise, promise.bytesThere > 0, promise.bytes > promise.bytesThere else {
            return claimed < Int.max ? claimed : nil
        }
        return Int(Double(claimed) * Double(promise.bytes) / Double(promise.bytesThere))
    }

    deinit { sf_close(file) }

    /// Reads on.
    /// - Parameter maxFrames: at most so many, ≥ 1; this much is allocated.
    /// - Returns: [frames × channels], interleaved, bounded; empty at the end. A file that is cut ends where its sound
    ///   does.
    /// - Throws: `badAudio` if not one frame can be decoded.
    package mutating func read(maxFrames: Int) throws(CaptureError) -> [Float] {
        precondition(maxFrames > 0, "\(maxFrames)")
        var frames = 0
        var samples = [Float](unsafeUninitializedCapacity: maxFrames * channels) { buffer, count in
            frames = Int(sf_readf_float(file, buffer.baseAddress, sf_count_t(maxFrames)))
            count = max(0, frames) * channels
        }
        if frames <= 0 {
            let code = sf_error(file)
            guard code == SF_ERR_NO_ERROR || position > 0 else {
                throw .badAudio(path: path, reason: reason(String(cString: sf_error_number(code))))
            }
            // An MP3 may be a frame or two off.
            if let promisedFrames, position > 0, position < promisedFrames - rateHz / 10 {
                earlyEnd = EarlyEnd(
                    path: path, length: MediaTime(samples: position, rateHz: rateHz),
                    promised: MediaTime(samples: promisedFrames, rateHz: rateHz))
            }
            return []
        }
        for index in samples.indices { samples[index] = PCMConversion.bounded(samples[index]) }
        position += frames
        return samples
    }

    /// Back to the first frame.
    package mutating func rewind() throws(CaptureError) {
        guard sf_seek(file, 0, SEEK_SET) == 0 else {
            throw .badAudio(path: path, reason: "it cannot be read a second time")
        }
        position = 0
    }
}

/// Why the last `sf_open_fd` failed.
private func openingReason() -> String {
    // libsndfile's text for an MP3 that does not decode speaks of a pipe, which a regular file is not.
    let code = sf_error(nil)
    return code == SF_ERR_SYSTEM || code == SF_ERR_UNRECOGNISED_FORMAT
        ? "the format is not recognised" : reason(String(cString: sf_error_number(code)))
}

/// libsndfile's sentence as the end of ours.
private func reason(_ text: String) -> String {
    var text = text[...]
    while text.last == "." { text.removeLast() }
    return String(text)
}
