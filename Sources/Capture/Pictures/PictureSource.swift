package import Media

/// Recorded or made pictures: a file, a folder, a pattern. A camera is none; it has its own hand-over.
///
/// A source is owned by one task. A picture is due at its own time where a pace is kept.
package protocol PictureSource: ~Copyable {
    /// What comes next; nil: nothing more.
    mutating func next() throws(CaptureError) -> VideoFrame?

    /// What was left out so far, as a sentence without its full stop; nil: nothing.
    var losses: String? { get }
}

/// When pictures of an even rate are due.
package struct FrameTimes: Sendable {
    /// In pictures a second.
    package static let rates = 0.01...1_000.0

    private let framesPer1000Seconds: Int

    /// - Parameter framesPerSecond: within `rates`; taken to a thousandth.
    package init(framesPerSecond: Double) {
        precondition(Self.rates.contains(framesPerSecond), "\(framesPerSecond)")
        framesPer1000Seconds = Int((framesPerSecond * 1_000).rounded())
    }

    /// The time of picture `index`, counted from 0, to the nearest nanosecond: errors do not add up.
    package func time(of index: Int) -> MediaTime {
        let thousandSeconds = 1_000_000_000_000  // in ns
        let (whole, rest) = index.quotientAndRemainder(dividingBy: framesPer1000Seconds)
        let fraction = (rest * thousandSeconds + framesPer1000Seconds / 2) / framesPer1000Seconds
        return MediaTime(nanoseconds: Int64(whole * thousandSeconds + fraction))
    }
}
