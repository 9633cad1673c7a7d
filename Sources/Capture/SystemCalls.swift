import CALSA  // a whole-module build takes its `timespec`, or that of CV4L2, for the one of Glibc
import CV4L2
import Glibc
import Media

/// The monotonic clock that drivers stamp sound and pictures with.
package enum MonotonicClock {
    /// CLOCK_MONOTONIC since boot; stands still while the machine sleeps.
    package static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return nanoseconds(time)
    }

    static func nanoseconds(_ time: timespec) -> Int64 { Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) }
}

func errorText(_ errno: CInt) -> String { String(cString: strerror(errno)) }

/// Repeats a system call that a signal interrupted.
/// - Returns: its result, or -errno.
func retrying(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 { return result }
        if errno != EINTR { return -Int(errno) }
    }
}
