/// What a full queue does with one more packet.
package enum WhenFull: String, CaseIterable, Sendable {
    /// The sender waits for room.
    case wait
    /// The oldest packet makes room; it is counted as dropped.
    case dropOldest = "drop_oldest"
    /// The new packet is not taken; it is counted as dropped.
    case dropNewest = "drop_newest"
}

/// How many packets a link holds and what happens beyond.
package struct QueuePolicy: Hashable, Sendable {
    package var capacity: Int
    package var whenFull: WhenFull

    package init(capacity: Int, whenFull: WhenFull = .wait) {
        precondition(capacity > 0, "\(capacity)")
        self.capacity = capacity
        self.whenFull = whenFull
    }

    package static let standard = QueuePolicy(capacity: 64)
}
