import Events

/// One client as a state machine: events and requests in, lines for its outbox out. No socket, no clock, no lock.
struct ClientSession {
    /// What the writer of a client does next.
    enum Output: Equatable {
        case bytes([UInt8])
        /// Nothing until there is output again; the caller is to be woken then.
        case wait
        /// Hang up; with the `bye` that was said, if any.
        case end(ConnectionEvent.ByeCode?)
    }

    let role: Role
    private var outbox: Outbox
    private var subscriptions: [Subscription] = []
    private var subscriptionsMade = 0
    /// The `bye` that was said.
    private(set) var farewell: ConnectionEvent.ByeCode?
    private var inputEnded = false

    init(role: Role, hello: Hello, limits: Outbox.Limits) {
        self.role = role
        outbox = Outbox(limits: limits)
        _ = outbox.append(message: hello.wire.line)
    }

    var isSubscribed: Bool { !subscriptions.isEmpty }
    var isClosing: Bool { farewell != nil }

    /// A new event. An event that several subscriptions want is sent once, with what they want together.
    mutating func offer(_ recorded: RecordedEvent) {
        guard farewell == nil else { return }
        var wanted: RecordedEvent.Detail?
        for index in subscriptions.indices {
            guard let detail = subscriptions[index].detail(of: recorded.event) else { continue }
            wanted = wanted?.union(detail) ?? detail
        }
        if let wanted, !outbox.append(recorded, wanted) { close(.slow) }
    }

    mutating func send(_ line: [UInt8]) {
        guard farewell == nil else { return }
        if !outbox.append(message: line) { close(.slow) }
    }

    /// Says `bye`; what waits in the outbox still goes out before it.
    mutating func close(_ code: ConnectionEvent.ByeCode) {
        guard farewell == nil else { return }
        farewell = code
        outbox.close(code)
    }

    /// The client will send no more; it may still listen.
    mutating func endInput() { inputEnded = true }

    /// Whether `next` is more than `wait`.
    var hasOutput: Bool { !outbox.isEmpty || isOver }

    mutating func next(upTo limit: Int) -> Output {
        if !outbox.isEmpty { return .bytes(outbox.take(upTo: limit)) }
        return isOver ? .end(farewell) : .wait
    }

    /// A client that neither asks nor listens any more waits for the end of the connection.
    private var isOver: Bool { farewell != nil || inputEnded && !isSubscribed }

    /// Subscribes: the reply, then the replay out of `ring`, then everything after `seq`, with nothing lost or doubled.
    mutating func subscribe(_ request: SubscribeRequest, id: JSONValue, ring: ReplayRing, boot: String, seq: Int) {
        if let since = request.since, since.boot == boot, since.seq > seq {
            let error = CommandError(.badValue, "`since` is ahead of this boot, which is at \(seq).", field: "since")
            return send(reply(to: id, .failure(error)))
        }
        let replay = replay(request, ring: ring, boot: boot)
        subscriptionsMade += 1
        let number = subscriptionsMade
        send(reply(to: id, .success(["sub": .int(number), "boot": .string(boot), "seq": .int(seq)])))
        if let since = request.since {
            for gap in gaps(since, ring: ring, boot: boot, seq: seq) { send(gap.wire.line) }
        }

        let firstSeq = replay.first?.event.seq ?? seq + 1
        var subscription = Subscription(id: number, request: request, firstSeq: firstSeq)
        for recorded in replay {
            // What an earlier subscription covers has been sent on this connection already.
            guard let detail = subscription.detail(of: recorded.event),
                !subscriptions.contains(where: { $0.covers(recorded.event) })
            else { continue }
            if !isClosing, !outbox.append(recorded, detail) { close(.slow) }
        }
        subscriptions.append(subscription)
    }

    /// - Returns: whether there was such a subscription.
    mutating func unsubscribe(_ number: Int) -> Bool {
        let before = subscriptions.count
        subscriptions.removeAll { $0.id == number }
        return subscriptions.count < before
    }

    /// What of the ring goes out first: what came after `since`, the newest `last` of what matches, what is ongoing.
    private func replay(_ request: SubscribeRequest, ring: ReplayRing, boot: String) -> [RecordedEvent] {
        var filter = Subscription(id: 0, request: request, firstSeq: 0)
        let matching = ring.events.filter { filter.detail(of: $0.event) != nil }
        var chosen: [RecordedEvent] = []
        if let since = request.since {
            chosen = matching.filter { since.boot != boot || $0.event.seq > since.seq }
        } else if request.last != nil {
            chosen = matching
        }
        if let last = request.last { chosen = chosen.suffix(last) }
        if request.state {
            let ongoing = ring.ongoing
            let first = chosen.first?.event.seq ?? Int.max
            chosen = matching.filter { $0.event.seq < first && ongoing.contains($0.event.seq) } + chosen
        }
        return chosen
    }

    /// What of the events after `since` the ring no longer has. After another boot there is always one gap at least: what
    /// was missed of that boot nobody knows.
    private func gaps(
        _ since: (boot: String, seq: Int), ring: ReplayRing, boot: String, seq: Int
    ) -> [ConnectionEvent] {
        let first = since.boot == boot ? since.seq + 1 : 1
        let cause: ConnectionEvent.GapCause = since.boot == boot ? .ring : .boot
        var missing = ring.missing(from: first, to: seq)
        if cause == .boot, missing.first?.lowerBound != 1 { missing.insert(1..<1, at: 0) }
        return missing.map {
            .gap(from: $0.lowerBound, to: $0.upperBound - 1, count: $0.count, cause: cause)
        }
    }
}
