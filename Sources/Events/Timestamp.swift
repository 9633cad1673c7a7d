import Glibc

/// A moment of wall-clock time in whole milliseconds, written as RFC 3339 in UTC.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Since 1970-01-01T00:00:00Z.
    package let milliseconds: Int

    package init(milliseconds: Int) { self.milliseconds = milliseconds }

    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: time.tv_sec * 1_000 + time.tv_nsec / 1_000_000)
    }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }
}

extension Timestamp: CustomStringConvertible {
    /// `2026-03-01T08:15:30.042Z`
    package var description: String {
        let (days, inDay) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        var date = tm()
        var seconds = time_t(days * 86_400)
        gmtime_r(&seconds, &date)
        let year = zeroPadded(Int(date.tm_year) + 1_900, 4)
        let day = "\(year)-\(zeroPadded(Int(date.tm_mon) + 1, 2))-\(zeroPadded(Int(date.tm_mday), 2))"
        return "\(day)T\(clockTime(inDay, fraction: "."))Z"
    }
}

/// `hh:mm:ss` and the milliseconds behind `fraction`.
func clockTime(_ milliseconds: Int, fraction: String) -> String {
    let seconds = milliseconds / 1_000
    let clock = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { zeroPadded($0, 2) }.joined(separator: ":")
    return clock + fraction + zeroPadded(milliseconds % 1_000, 3)
}

func zeroPadded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
