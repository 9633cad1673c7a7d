import Capture
import TestSupport
import Testing

struct ClockFilterTests {
    private static let period = 960  // 20 ms at 48 kHz

    /// Stamps of a card whose crystal is off by `ppm`, each late by up to `jitter` nanoseconds.
    private func stamps(count: Int, ppm: Double, jitter: Double, seed: UInt64) -> [(true: Double, stamp: Int64)] {
        var random = SplitMix64(seed: seed)
        let period = Double(Self.period) / 48_000 * 1e9 * (1 + ppm * 1e-6)
        return (0..<count).map { index in
            let time = 5e12 + Double(index) * period
            return (time, Int64(time + Double.random(in: -jitter...jitter, using: &random)))
        }
    }

    @Test(arguments: [-200.0, 0, 200], UInt64(0)..<3)
    func `it follows a drifting card to a millisecond through jittery stamps`(ppm: Double, seed: UInt64) {
        var filter = ClockFilter(rateHz: 48_000)
        var last = Int64.min
        for (index, stamp) in stamps(count: 6_000, ppm: ppm, jitter: 2e6, seed: seed).enumerated() {
            let (time, lost) = filter.advance(frames: Self.period, measured: stamp.stamp)
            #expect(lost == 0 && time > last)
            last = time
            if index > 1_000 { #expect(abs(Double(time) - stamp.true) < 1e6) }
        }
        #expect(abs(filter.measuredRateHz - 48_000 / (1 + ppm * 1e-6)) < 3)
    }

    @Test func `a gap the driver told of is measured, however short`() {
        var filter = ClockFilter(rateHz: 48_000)
        #expect(filter.advance(frames: Self.period, measured: 1_000_000_000).lost == 0)
        let next = filter.advance(frames: Self.period, measured: 1_050_000_000, afterGap: true)
        #expect(next.time == 1_050_000_000 && next.lost == 30_000_000)
    }

    @Test func `a long gap is noticed though the driver did not tell`() {
        var filter = ClockFilter(rateHz: 48_000)
        _ = filter.advance(frames: Self.period, measured: 0)
        #expect(filter.advance(frames: Self.period, measured: 50_000_000).lost == 0)
        #expect(filter.advance(frames: Self.period, measured: 1_040_000_000).lost > 900_000_000)
    }

    @Test func `time never goes back, whatever the stamps say`() {
        var random = SplitMix64(seed: 9)
        var filter = ClockFilter(rateHz: 16_000)
        var last = Int64.min
        for _ in 0..<2_000 {
            let frames = Int.random(in: 1...400, using: &random)
            let stamp = Int64.random(in: -1_000_000_000...1_000_000_000, using: &random)
            let time = filter.advance(frames: frames, measured: stamp, afterGap: Bool.random(using: &random)).time
            #expect(time >= last)
            last = time
        }
    }
}
