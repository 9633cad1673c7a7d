import Glibc
package import Media

/// The monotonic clock, for measuring how long something took.
package enum MonotonicTime {
    package static var now: MediaTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MediaTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
