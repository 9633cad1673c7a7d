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
