package import Media
import Synchronization

/// What lies between the capture thread and its reader: samples in one ring, when they are from in another.
package final class MicrophoneFeed: Sendable {
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

    private let channels: Int
    private let samples: SampleRing
    private let marks: Ring<Mark>
    private let stopping = Atomic(false)
    private let failureCode = Atomic<CInt>(0)
    private let framesCaptured = Atomic(0)
    private let deviceOverruns = Atomic(0)
    private let framesDropped = Atomic(0)
    private let measuredRateMillihertz = Atomic(0)

    package init(format: AudioFormat, periodFrames: Int) {
        channels = format.channels
        samples = SampleRing(minimumCapacity: format.rateHz * format.channels * Self.seconds)
        // A read may bring less than a period: four marks for each.
        marks = Ring(minimumCapacity: max(16, 4 * Self.seconds * format.rateHz / periodFrames))
    }

    // MARK: The capture thread's side

    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// Hands on one run of frames whole, or none of it.
    /// - Returns: false if there was no room.
    package func put(_ run: Span<Float>, time: Int64, lost: Int64, rateHz: Double) -> Bool {
        measuredRateMillihertz.store(Int(rateHz * 1_000), ordering: .relaxed)
        guard samples.room >= run.count, marks.room > 0 else {
            framesDropped.add(run.count / channels, ordering: .relaxed)
            return false
        }
        _ = samples.write(run)
        _ = marks.write(Mark(frames: run.count / channels, time: time, lost: lost))  // after the samples it speaks of
        framesCaptured.add(run.count / channels, ordering: .relaxed)
        return true
    }

    func countOverrun() { deviceOverruns.add(1, ordering: .relaxed) }

    func fail(_ errno: CInt) { failureCode.store(errno, ordering: .releasing) }

    // MARK: The reader's side

    func stop() { stopping.store(true, ordering: .releasing) }

    /// errno of what ended the capture, 0 while it goes on.
    var failure: CInt { failureCode.load(ordering: .acquiring) }

    /// Takes as many runs as fit into `maxFrames`, but never across a gap; at least one if there is one.
    package func take(maxFrames: Int) -> (samples: [Float], time: Int64, lost: Int64)? {
        guard let first = marks.read() else { return nil }
        var frames = first.frames
        while let next = marks.peek(), next.lost == 0, frames + next.frames <= maxFrames {
            frames += next.frames
            _ = marks.read()
        }
        var taken: [Float] = []
        taken.reserveCapacity(frames * channels)
        samples.read(upTo: frames * channels, into: &taken)
        return (taken, first.time, first.lost)
    }

    package var statistics: MicrophoneStatistics {
        MicrophoneStatistics(
            framesCaptured: framesCaptured.load(ordering: .relaxed),
            deviceOverruns: deviceOverruns.load(ordering: .relaxed),
            framesDropped: framesDropped.load(ordering: .relaxed),
            measuredRateHz: Double(measuredRateMillihertz.load(ordering: .relaxed)) / 1_000)
    }
}
