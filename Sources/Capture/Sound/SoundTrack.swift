package import Media

/// Sound of one format on its way out of the capture thread: samples in one ring, when they are from in another.
package final class SoundTrack: Sendable {
    /// A run of frames that were read in one piece.
    struct Mark: BitwiseCopyable, Sendable {
        var frames: Int
        /// Of the first frame, on the monotonic clock, in nanoseconds.
        var time: Int64
        /// Lost just before it, in nanoseconds.
        var lost: Int64
    }

    /// How long a reader may stay away before sound is lost.
    private static let seconds = 4

    package let format: AudioFormat
    private let samples: SampleRing
    private let marks: Ring<Mark>

    package init(format: AudioFormat, periodFrames: Int) {
        self.format = format
        samples = SampleRing(minimumCapacity: format.rateHz * format.channels * Self.seconds)
        // A read may bring less than a period: four marks for each.
        marks = Ring(minimumCapacity: max(16, 4 * Self.seconds * format.rateHz / periodFrames))
    }

    /// The capture thread hands on one run of frames whole, or none of it.
    /// - Returns: false if there was no room.
    package func put(_ run: Span<Float>, time: Int64, lost: Int64) -> Bool {
        guard samples.room >= run.count, marks.room > 0 else { return false }
        _ = samples.write(run)
        _ = marks.write(Mark(frames: run.count / format.channels, time: time, lost: lost))  // after what it speaks of
        return true
    }

    /// The reader takes as many runs as fit into `maxFrames`, but never across a gap; at least one if there is one.
    package func take(maxFrames: Int) -> (samples: [Float], time: Int64, lost: Int64)? {
        guard let first = marks.read() else { return nil }
        var frames = first.frames
        while let next = marks.peek(), next.lost == 0, frames + next.frames <= maxFrames {
            frames += next.frames
            _ = marks.read()
        }
        var taken: [Float] = []
        taken.reserveCapacity(frames * format.channels)
        samples.read(upTo: frames * format.channels, into: &taken)
        return (taken, first.time, first.lost)
    }
}
