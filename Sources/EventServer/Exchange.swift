import Events
import Synchronization

/// Where events and clients meet: numbers the events, keeps the ring, and holds a session for each client.
///
/// ```
/// emit ──► number, ring ──► session ► outbox ──take──► writer of the client
///                              ▲
/// line of a client ─► handle ──┘ (else ──► CommandHandler)
/// ```
/// Everything happens under one lock, held for bookkeeping only. That is what makes a replay seamless: between the
/// reply, the replayed events and the live ones no event can slip through or in twice. It knows no socket.
///
/// What waits for a client is taken by its outlet, which is woken whenever there is something.
final class Exchange: Sendable {
    private struct Connection {
        var session: ClientSession
        let outlet: any ClientOutlet
        let grace: Duration

        /// Changes the session and sees to the consequences: its writer is woken, and one that is to end is given a
        /// grace to take what waits and its `bye`.
        mutating func update(_ change: (inout ClientSession) -> Void) {
            let wasClosing = session.isClosing
            change(&session)
            if session.isClosing, !wasClosing { outlet.hangUp(after: grace) }
            if session.hasOutput { outlet.wake() }
        }
    }

    private struct Waiter {
        let condition: @Sendable (Counts) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    struct Counts {
        var clients = 0
        var subscribers = 0
        /// Clients that were too slow or broke the protocol, since the start.
        var letGo = 0
    }

    private struct State {
        var seq = 0
        var ring: ReplayRing
        var connections: [Int: Connection] = [:]
        var connectionsMade = 0
        var waiters: [Int: Waiter] = [:]
        var waitersMade = 0
        var isShutDown = false
        var letGo = 0

        var counts: Counts {
            Counts(
                clients: connections.count, subscribers: connections.values.count { $0.session.isSubscribed },
                letGo: letGo)
        }

        /// Those whose condition holds now. They are resumed without the lock: a task's own lock is taken by that,
        /// and a cancelled task holds its own while it waits for ours.
        mutating func takeReadyWaiters() -> [CheckedContinuation<Void, Never>] {
            let counts = counts
            let ready = waiters.filter { $0.value.condition(counts) }
            for id in ready.keys { waiters[id] = nil }
            return ready.values.map(\.continuation)
        }
    }

    /// Random per run, so that a client can tell a restarted daemon.
    let boot: String
    private let configuration: EventServer.Configuration
    private let commands: any CommandHandler
    private let started: Int
    private let state: Mutex<State>

    init(configuration: EventServer.Configuration, commands: any CommandHandler) {
        self.configuration = configuration
        self.commands = commands
        boot = String(UInt64.random(in: (1 << 60)...UInt64.max), radix: 16)
        started = configuration.clock().uptimeMs
        state = Mutex(State(ring: ReplayRing(limits: configuration.ring)))
    }

    // MARK: - Events

    func emit(_ body: EventBody, src: String) {
        let now = configuration.clock()
        state.withLock { state in
            state.seq += 1
            let event = Event(seq: state.seq, time: now.time, src: src, body: body)
            let recorded = RecordedEvent(event, uptimeMs: now.uptimeMs)
            state.ring.append(recorded)
            for id in Array(state.connections.keys) {
                state.connections[id]?.update { $0.offer(recorded) }
            }
        }
    }

    /// Takes out of the ring what was heard and seen of a source.
    func forget(src: String) { state.withLock { $0.ring.forget(src: src) } }

    // MARK: - Clients

    /// - Parameter outlet: makes the outlet of the client with the number given.
    /// - Returns: the number of the client.
    func connect(role: Role, to outlet: (_ id: Int) -> any ClientOutlet) -> Int {
        let pipeline = configuration.pipeline()
        let now = configuration.clock()
        return state.withLock { state in
            let hello = Hello(
                server: configuration.server, boot: boot, seq: state.seq, time: now.time, role: role.rawValue,
                pipeline: pipeline.name, sources: pipeline.sources, limits: configuration.limits)
            state.connectionsMade += 1
            let id = state.connectionsMade
            let session = ClientSession(role: role, hello: hello, limits: configuration.outbox)
            state.connections[id] = Connection(
                session: session, outlet: outlet(id), grace: configuration.closingGrace)
            state.connections[id]?.update { if state.isShutDown { $0.close(.shutdown) } }
            return id
        }
    }

    func disconnect(_ id: Int) {
        let ready = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            let gone = state.connections.removeValue(forKey: id)
            if let code = gone?.session.farewell, code != .shutdown { state.letGo += 1 }
            return state.takeReadyWaiters()
        }
        for waiter in ready { waiter.resume() }
    }

    /// What the writer of a client sends next.
    func take(_ id: Int, upTo limit: Int = 64 << 10) -> ClientSession.Output {
        state.withLock { $0.connections[id]?.session.next(upTo: limit) ?? .end(nil) }
    }

    func endInput(_ id: Int) {
        state.withLock { $0.connections[id]?.update { $0.endInput() } }
    }

    /// Says `bye` to everybody, now and later.
    func shutDown() {
        state.withLock { state in
            state.isShutDown = true
            for id in Array(state.connections.keys) { state.connections[id]?.update { $0.close(.shutdown) } }
        }
    }

    /// Ends all connections at once.
    func hangUp() {
        let outlets = state.withLock { $0.connections.values.map(\.outlet) }
        for outlet in outlets { outlet.hangUp(after: .zero) }
    }

    var counts: Counts { state.withLock { $0.counts } }

    /// Returns when `condition` holds or the task is cancelled.
    func wait(until condition: @escaping @Sendable (Counts) -> Bool) async {
        let id = state.withLock { state in
            state.waitersMade += 1
            return state.waitersMade
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                    if Task.isCancelled { return [continuation] }
                    state.waiters[id] = Waiter(condition: condition, continuation: continuation)
                    return state.takeReadyWaiters()
                }
                for waiter in ready { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
        }
    }

    // MARK: - Requests

    /// The client broke the protocol: it is told, and let go.
    func refuse(_ id: Int, _ error: CommandError) {
        state.withLock { state in
            state.connections[id]?.update {
                $0.send(reply(to: .null, .failure(error)))
                $0.close(.protocol)
            }
        }
    }

    /// Answers one request line. Returns when the reply is in the client's outbox.
    func handle(_ line: [UInt8], from id: Int, role: Role) async {
        let request: Request
        do { request = try Request(parsing: line, role: role) } catch {
            return send(reply(to: error.id, .failure(error.error)), to: id)
        }
        switch request.command {
        case "subscribe": subscribe(request, id)
        case "unsubscribe": unsubscribe(request, id)
        case "ping":
            let now = configuration.clock()
            let seq = state.withLock { $0.seq }
            answer(request, .success(["seq": .int(seq), "time": .string(now.time.description)]), id)
        case "status", "stats": answer(request, .success(await report(request, role: role)), id)
        case "quit":
            // The reply goes first: what the handler sets off ends this connection.
            answer(request, .success([:]), id)
            _ = await commands.handle(request.command, fields: request.fields, role: role)
        default: answer(request, await commands.handle(request.command, fields: request.fields, role: role), id)
        }
    }

    private func send(_ line: [UInt8], to id: Int) {
        state.withLock { $0.connections[id]?.update { $0.send(line) } }
    }

    private func answer(_ request: Request, _ result: Result<JSONValue, CommandError>, _ id: Int) {
        send(reply(to: request.id, result), to: id)
    }

    private func subscribe(_ request: Request, _ id: Int) {
        let subscribe: SubscribeRequest
        do { subscribe = try SubscribeRequest(request.fields) } catch { return answer(request, .failure(error), id) }
        let now = configuration.clock()
        let ready = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.ring.trim(uptimeMs: now.uptimeMs)
            let (ring, seq) = (state.ring, state.seq)
            state.connections[id]?.update { $0.subscribe(subscribe, id: request.id, ring: ring, boot: boot, seq: seq) }
            return state.takeReadyWaiters()
        }
        for waiter in ready { waiter.resume() }
    }

    private func unsubscribe(_ request: Request, _ id: Int) {
        guard let number = request.fields["sub"]?.int else {
            let message = "`sub` is the number that `subscribe` gave back."
            return answer(request, .failure(CommandError(.badValue, message, field: "sub")), id)
        }
        state.withLock { state in
            state.connections[id]?.update { session in
                if session.unsubscribe(number) {
                    session.send(reply(to: request.id, .success(["sub": .int(number)])))
                } else {
                    let error = CommandError(.badValue, "This connection has no subscription \(number).", field: "sub")
                    session.send(reply(to: request.id, .failure(error)))
                }
            }
        }
    }

    /// The server's own members, then those of the handler. `status` says who we are as well, `stats` only counts.
    private func report(_ request: Request, role: Role) async -> JSONValue {
        let pipeline = configuration.pipeline()
        let uptimeMs = configuration.clock().uptimeMs - started
        let (seq, counts) = state.withLock { ($0.seq, $0.counts) }
        var report: JSONObject = [:]
        if request.command == "status" {
            report = [
                "server": .string(configuration.server), "boot": .string(boot), "pipeline": .string(pipeline.name),
                "sources": .array(pipeline.sources.map(\.wire))
            ]
        }
        report.merge([
            "seq": .int(seq), "uptime_ms": .int(uptimeMs), "clients": .int(counts.clients),
            "subscribers": .int(counts.subscribers), "clients_let_go": .int(counts.letGo)
        ])
        let more = await commands.handle(request.command, fields: request.fields, role: role)
        if case .success(.object(let members)) = more { report.merge(members) }
        return .object(report)
    }
}
