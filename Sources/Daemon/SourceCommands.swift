package import EventServer
package import Events
package import Graph
import Media
package import Stages
import Synchronization

/// What clients may ask of sources: `mute`, `unmute`, `pause`, `resume`, `flush`. One order at a time.
package final class SourceCommands: Sendable {
    private let graph: RunningGraph
    private let environment: StageEnvironment
    private let watch: EventWatch
    private let forget: @Sendable (String) -> Void
    private let turnstile: Turnstile
    /// Ends of timed mutes.
    private let timers = Mutex<[StageID: Task<Void, Never>]>([:])

    /// - Parameter forget: takes what was heard and seen of a source away from those who come later.
    package init(
        graph: RunningGraph, environment: StageEnvironment, watch: EventWatch, turnstile: Turnstile,
        forget: @escaping @Sendable (String) -> Void
    ) {
        self.graph = graph
        self.environment = environment
        self.watch = watch
        self.turnstile = turnstile
        self.forget = forget
    }

    /// - Parameter fields: `src`: one source, else all; `for_s`: until it ends by itself; `forget`: what was said and is
    ///   not told yet is thrown away, and what was told is kept for nobody.
    /// - Returns: `sources`: the number and state of each.
    package func mute(_ fields: JSONObject) async throws(CommandError) -> JSONValue {
        let sources = try choose(fields)
        var seconds: Double?
        if let value = fields["for_s"] {
            guard let number = value.double, number > 0, number <= Self.longestMute else {
                throw CommandError(
                    .badValue, "`for_s` is a number of seconds above 0, a year at most.", field: "for_s")
            }
            seconds = number
        }
        let forgetting = try flag(fields, "forget")
        return try await turnstile.pass { () async throws(CommandError) in
            for source in sources { await mute(source, for: seconds, forgetting: forgetting) }
            return states(sources)
        }
    }

    /// - Parameter fields: `src`: one source, else all.
    package func unmute(_ fields: JSONObject) async throws(CommandError) -> JSONValue {
        let sources = try choose(fields)
        return try await turnstile.pass { () async throws(CommandError) in
            for source in sources { await unmute(source) }
            return states(sources)
        }
    }

    /// Recorded sources stand still, devices are not listened to. What is open ends.
    package func pause() async throws(CommandError) -> JSONValue {
        try await turnstile.pass { () async throws(CommandError) in
            await graph.pause()
            return ["paused": true]
        }
    }

    package func resume() async throws(CommandError) -> JSONValue {
        try await turnstile.pass { () async throws(CommandError) in
            graph.resume()
            return ["paused": false]
        }
    }

    /// Ends what is open of a source, or of all.
    /// - Returns: `utts`: the utterances whose final is to come.
    package func flush(_ fields: JSONObject) async throws(CommandError) -> JSONValue {
        let sources = try choose(fields)
        return try await turnstile.pass { () async throws(CommandError) in
            var open: [Int] = []
            for source in sources {
                open += watch.open(of: source.name)
                await graph.flush(source)
            }
            return ["utts": .array(open.map { .int($0) })]
        }
    }

    /// No timer ends a mute any more.
    package func shutDown() {
        for timer in timers.withLock({ $0.values }) { timer.cancel() }
    }

    // MARK: - Muting

    private static let longestMute = 366 * 86_400.0

    private func mute(_ source: StageID, for seconds: Double?, forgetting: Bool) async {
        let wasMuted = isMuted(source)
        await graph.mute(true, source, forgetting: forgetting)
        environment.frames.remove(source)
        if forgetting { forget(source.name) }
        if !wasMuted || seconds != nil { tell(source, isMuted: true, for: seconds) }
        setTimer(source, seconds)
    }

    private func unmute(_ source: StageID) async {
        setTimer(source, nil)
        guard isMuted(source) else { return }
        await graph.mute(false, source)
        tell(source, isMuted: false, for: nil)
    }

    private func setTimer(_ source: StageID, _ seconds: Double?) {
        let timer = seconds.map { seconds in
            Task {
                try? await Task.sleep(for: .seconds(seconds))
                _ = try? await turnstile.pass { () async throws(CommandError) in
                    // Another order may have come while this one waited for its turn.
                    if !Task.isCancelled { await unmute(source) }
                }
            }
        }
        timers.withLock { timers in
            timers[source]?.cancel()
            timers[source] = timer
        }
    }

    private func tell(_ source: StageID, isMuted: Bool, for seconds: Double?) {
        let body = EventBody.muteChanged(
            isMuted: isMuted, atMs: graph.clock.now(source).milliseconds, forSeconds: seconds)
        watch.emit(body, src: source.name)
    }

    private func isMuted(_ source: StageID) -> Bool {
        graph.sourceStates.contains { $0.id == source && $0.isMuted }
    }

    private func states(_ sources: [StageID]) -> JSONValue {
        let states = graph.sourceStates.filter { sources.contains($0.id) }
        return ["sources": .array(states.map { ["id": .string($0.id.name), "muted": .bool($0.isMuted)] })]
    }

    // MARK: - Fields

    private func choose(_ fields: JSONObject) throws(CommandError) -> [StageID] {
        let sources = graph.sourceStates.map(\.id)
        guard let value = fields["src"] else { return sources }
        guard let source = sources.first(where: { .string($0.name) == value }) else {
            let names = sources.map { "'\($0)'" }.joined(separator: ", ")
            throw CommandError(.badValue, "`src` is one of the sources: \(names).", field: "src")
        }
        return [source]
    }

    private func flag(_ fields: JSONObject, _ name: String) throws(CommandError) -> Bool {
        guard let value = fields[name] else { return false }
        guard let flag = value.bool else { throw CommandError(.badValue, "`\(name)` is true or false.", field: name) }
        return flag
    }
}
