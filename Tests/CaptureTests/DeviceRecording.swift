import Synchronization

/// A device that is read by a task of its own, and all that it gave and told.
final class DeviceRecording<State: Sendable>: Sendable {
    struct Overdue: Error, CustomStringConvertible {
        let description: String
    }

    let state: Mutex<State>
    private let task = Mutex<Task<Void, any Error>?>(nil)

    /// - Parameter read: Reads until its task is cancelled.
    init(_ state: State, read: @escaping @Sendable (DeviceRecording) async throws -> Void) {
        self.state = Mutex(state)
        let task = Task { [self] in try await read(self) }
        self.task.withLock { $0 = task }
    }

    func wait(for what: String, until condition: @Sendable (State) -> Bool) async throws {
        let limit = ContinuousClock.now + .seconds(60)
        while !state.withLock({ condition($0) }) {
            guard ContinuousClock.now < limit else { throw Overdue(description: "no \(what) within a minute") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Lets go of the device.
    func end() async {
        let task = task.withLock { $0 }
        task?.cancel()
        _ = await task?.result
    }
}
