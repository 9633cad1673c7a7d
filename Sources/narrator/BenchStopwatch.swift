import Foundation
import Media
import Stages

/// Measures how long work takes and how much memory the process had.
enum BenchStopwatch {
    /// Seconds that `work` took, and what it gave.
    static func time<Result>(_ work: () throws -> Result) rethrows -> (seconds: Double, result: Result) {
        let start = MonotonicTime.now
        let result = try work()
        return (Double((MonotonicTime.now - start).nanoseconds) / 1e9, result)
    }

    /// Median of several runs, after one that warms caches and is not counted.
    static func median(of runs: Int, _ work: () throws -> Void) rethrows -> Double {
        try work()
        return try (0..<runs).map { _ in try time(work).seconds }.sorted()[runs / 2]
    }

    /// The most memory that the process held at once since its start or the last reset; mapped files count where they are touched.
    static var peakResidentBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap { Int($0) } ?? 0) * 1_024
    }

    /// Begins to count the peak anew.
    static func resetPeak() {
        // What proc(5) offers for it: 5 resets the "high water mark" of the resident set.
        try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    }
}
