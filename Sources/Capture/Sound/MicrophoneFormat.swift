package import Media

/// What a microphone delivers and how it is read, beside what was asked of it.
package struct MicrophoneFormat: Sendable, Equatable {
    package var asked: MicrophoneRequest
    /// Read back from the device.
    package var sound: AudioFormat
    /// Frames from one wake-up to the next.
    package var periodFrames: Int
    /// Frames that the device keeps for us.
    package var bufferFrames: Int
    /// Of the thread that reads, 1...99; 0: it runs as ordinary programs do.
    package var realtimePriority: Int

    package var period: MediaTime { MediaTime(samples: periodFrames, rateHz: sound.rateHz) }
    package var buffer: MediaTime { MediaTime(samples: bufferFrames, rateHz: sound.rateHz) }
}

extension MicrophoneFormat: CustomStringConvertible {
    package var description: String {
        var differences: [String] = []
        if let wanted = asked.rateHz, wanted != sound.rateHz { differences.append("\(wanted) Hz") }
        if let wanted = asked.channels, wanted != sound.channels { differences.append("\(wanted) ch") }
        let priority = realtimePriority > 0 ? "at realtime priority \(realtimePriority)" : "without realtime priority"
        return "\(asked.device) gives \(sound)"
            + (differences.isEmpty ? "" : " (asked for: \(differences.joined(separator: ", ")))")
            + ", read every \(period.milliseconds) ms out of a buffer of \(buffer.milliseconds) ms, \(priority)"
    }
}
