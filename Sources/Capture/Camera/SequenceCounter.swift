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
