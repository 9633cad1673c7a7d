/// A point or a length on the stream time line, in whole nanoseconds. Stream time 0 is the start of the pipeline.
package struct MediaTime: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package init(milliseconds: Int) { self.init(nanoseconds: Int64(milliseconds) * 1_000_000) }

    /// The length of `samples` at `rateHz`, rounded to the nearest nanosecond. `rateHz` > 0.
    package init(samples: Int, rateHz: Int) {
        let (whole, rest) = samples.quotientAndRemainder(dividingBy: rateHz)
        let fraction = (Double(rest) * 1e9 / Double(rateHz)).rounded()
        self.init(nanoseconds: Int64(whole) * 1_000_000_000 + Int64(fraction))
    }

    package static let zero = MediaTime(nanoseconds: 0)

    /// Whole milliseconds, rounded to nearest: the unit of every time that leaves the program.
    package var milliseconds: Int { Int((Double(nanoseconds) / 1e6).rounded()) }

    package var seconds: Double { Double(nanoseconds) / 1e9 }

    /// How many samples at `rateHz` this length holds, rounded to nearest.
    package func samples(rateHz: Int) -> Int { Int((Double(nanoseconds) * Double(rateHz) / 1e9).rounded()) }

    package static func < (a: MediaTime, b: MediaTime) -> Bool { a.nanoseconds < b.nanoseconds }
    package static func + (a: MediaTime, b: MediaTime) -> MediaTime {
        .init(nanoseconds: a.nanoseconds + b.nanoseconds)
    }
    package static func - (a: MediaTime, b: MediaTime) -> MediaTime {
        .init(nanoseconds: a.nanoseconds - b.nanoseconds)
    }
    package static func += (a: inout MediaTime, b: MediaTime) { a = a + b }
    package static func -= (a: inout MediaTime, b: MediaTime) { a = a - b }
}

extension MediaTime: CustomStringConvertible {
    package var description: String { "\(milliseconds) ms" }
}
