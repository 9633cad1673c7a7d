package import Media

/// The stream time of every frame, out of the driver's stamps: they may lie in the future (vivid stamps the end of a
/// frame that it delivers early), be of no use at all, or go back when a camera is plugged in again.
package struct FrameClock {
    /// A monotonic stamp that is older says nothing: no driver holds a frame for so long.
    static let oldest: Int64 = 5_000_000_000

    private let streamZero: Int64
    private var last: Int64 = .min

    /// - Parameter streamZero: `MonotonicClock` nanoseconds at stream time 0.
    package init(streamZero: Int64) { self.streamZero = streamZero }

    /// - Parameters:
    ///   - stamp: the driver's, on the monotonic clock; nil if it stamps by another clock.
    ///   - now: when the frame was dequeued.
    ///   - interval: nanoseconds from frame to frame.
    /// - Returns: later than that of the frame before, and no later than one frame after now.
    package mutating func time(stamp: Int64?, now: Int64, interval: Int64) -> MediaTime {
        var time = stamp ?? now
        if now - time > Self.oldest { time = now }
        time = max(min(time, now + interval), last == .min ? streamZero : last + 1)
        last = time
        return MediaTime(nanoseconds: time - streamZero)
    }
}

/// Counts frames that a driver numbered and did not deliver.
package struct SequenceCounter {
    /// A longer gap is none: the driver has begun to count anew.
    static let longestGap: UInt32 = 10_000

    private var last: UInt32?

    package init() {}

    /// - Returns: how many are missing before the one of that number. Numbers may wrap, stand still or start again.
    package mutating func advance(to number: UInt32) -> Int {
        defer { last = number }
        guard let last, number != last else { return 0 }
        let missing = number &- last &- 1
        return missing <= Self.longestGap ? Int(missing) : 0
    }

    /// The driver counts from anywhere now.
    package mutating func restart() { last = nil }
}

/// Leaves out frames of a camera that gives more than was asked for.
package struct FrameThinner {
    private let interval: Int64
    /// Frames jitter by less than half of the camera's own interval.
    private let slack: Int64
    private var due: Int64?

    /// Rates in frames a second.
    package init(asked: Double, given: Double) {
        interval = Int64(1e9 / asked)
        slack = Int64(0.5e9 / given)
    }

    /// - Parameter time: of the frame, in nanoseconds.
    package mutating func takes(_ time: Int64) -> Bool {
        guard let due, due - time < 2 * interval else {  // the first, or a clock that went back
            self.due = time + interval
            return true
        }
        if time < due - slack { return false }
        // The rate is kept on average, but what was missed is not caught up with.
        self.due = max(due, time - slack) + interval
        return true
    }
}
