/// The time of every frame on the monotonic clock, out of the driver's jittery stamps.
///
/// A delay-locked loop (Adriaensen 2005, "Using a DLL to filter time"): it follows a sound card whose crystal runs
/// 200 ppm off, and takes out the jitter of the stamps. Its error is below a millisecond after a few seconds.
package struct ClockFilter {
    /// Low enough to take out jitter of a period, high enough to follow a crystal that warms up.
    private static let bandwidthHz = 0.05
    /// A stamp that is later by this much is no jitter: sound is missing, though the driver did not say so.
    static let jumpNanoseconds = 100e6
    /// No crystal is further off than this.
    private static let maximumDeviation = 1e-3

    private let nominal: Double  // nanoseconds per frame
    private(set) var nanosecondsPerFrame: Double
    private var anchor: Int64?
    private var expected = 0.0  // nanoseconds since the anchor

    package init(rateHz: Int) {
        nominal = 1e9 / Double(rateHz)
        nanosecondsPerFrame = nominal
    }

    /// The rate the device really has.
    package var measuredRateHz: Double { 1e9 / nanosecondsPerFrame }

    /// Takes in the next `frames` frames, the first of which the driver stamps with `measured`.
    /// - Parameter afterGap: the driver has said that sound is missing before them.
    /// - Returns: the time of the first frame, and how much is missing before it. Time never goes back.
    package mutating func advance(frames: Int, measured: Int64, afterGap: Bool = false) -> (time: Int64, lost: Int64) {
        guard let anchor else {
            restart(at: measured, frames: frames)
            return (measured, 0)
        }
        let time = anchor + Int64(expected.rounded())
        var error = Double(measured - anchor) - expected
        if error > Self.jumpNanoseconds || afterGap && error > 0 {
            restart(at: measured, frames: frames)
            return (measured, measured - time)
        }
        error = max(error, -Self.jumpNanoseconds)
        let length = Double(frames) * nominal
        let omega = 2 * Double.pi * Self.bandwidthHz * length * 1e-9
        let drift = omega * omega * error / Double(frames)
        nanosecondsPerFrame += drift
        let limit = nominal * Self.maximumDeviation
        nanosecondsPerFrame = min(max(nanosecondsPerFrame, nominal - limit), nominal + limit)
        expected += min(2.0.squareRoot() * omega, 1) * error + Double(frames) * nanosecondsPerFrame
        return (time, 0)
    }

    /// Starts over, keeping the rate that was learnt.
    private mutating func restart(at time: Int64, frames: Int) {
        anchor = time
        expected = Double(frames) * nanosecondsPerFrame
    }
}
