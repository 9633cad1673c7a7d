/// One source at work; it can be ended by itself.
final class SourceRun: Sendable {
    let source: any Source
    let output: SourceOutput
    private let leaving = Gate()
    /// Open once `run` has returned.
    let ended = Gate()

    init(_ made: MadeSource) { (source, output) = (made.source, made.output) }

    var isToEnd: Bool { leaving.isOpen }

    /// Makes `run` return soon. May be called before it, and more than once.
    func end() {
        leaving.open()
        source.stop()
        output.inlet.resume()
    }

    /// Runs the source to its end, or until `end`.
    func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask {
                defer { self.leaving.open() }
                try await self.source.run(self.output)
            }
            await leaving.wait()
            source.stop()
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}
