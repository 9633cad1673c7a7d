/// Leaves out frames of a camera that gives more than was asked for.
package struct FrameThinner {
    private let interval: Int64
    /// Frames jitter by less than half of the camera's own interval.
    private let slack: Int64
    private var due: Int64?

    /// Rates in frames a second.
    package init(asked: Double, given: Double) {
        interval = Int64(1e9 / asked)
        slack = Int64(0.5e9 / given)
    }

    /// - Parameter time: of the frame, in nanoseconds.
    package mutating func takes(_ time: Int64) -> Bool {
        guard let due, due - time < 2 * interval else {  // the first, or a clock that went back
            self.due = time + interval
            return true
        }
        if time < due - slack { return false }
        // The rate is kept on average, but what was missed is not caught up with.
        self.due = max(due, time - slack) + interval
        return true
    }
}
