import Events

/// What a client has not taken yet: bounded, so that a slow client costs memory to a limit and the producer nothing.
///
/// When it is full, soft events that a newer one made worthless go first (the client can tell: numbers leave holes),
/// then all soft events, with a `gap` in their place. If that is not enough the client is too slow.
struct Outbox {
    struct Limits {
        var lines = 4_096
        var bytes = 2 << 20
    }

    private struct Loss {
        let from: Int
        let to: Int
        let count: Int

        func joined(_ other: Loss) -> Loss {
            Loss(from: min(from, other.from), to: max(to, other.to), count: count + other.count)
        }

        var line: [UInt8] { ConnectionEvent.gap(from: from, to: to, count: count, cause: .queue).wire.line }
    }

    private enum Kind {
        /// A reply, `hello` or a gap of the replay.
        case message
        case event(seq: Int, subject: EventBody.Subject?, isWhole: Bool, isSoft: Bool)
        case gap(Loss)

        var isGap: Bool { if case .gap = self { true } else { false } }
        var isSoft: Bool { if case .event(_, _, _, isSoft: true) = self { true } else { false } }
        var isMessage: Bool { if case .message = self { true } else { false } }

        var loss: Loss? {
            switch self {
            case .message: nil
            case .event(let seq, _, _, _): Loss(from: seq, to: seq, count: 1)
            case .gap(let loss): loss
            }
        }
    }

    private struct Entry {
        var line: [UInt8]
        var kind: Kind
    }

    private let limits: Limits
    private var entries: [Entry] = []
    /// What counts against the limits: all but the gap, of which there is at most one.
    private var lines = 0
    private var bytes = 0

    init(limits: Limits) { self.limits = limits }

    var isEmpty: Bool { entries.isEmpty }

    /// - Returns: whether there was room; if not, the client is to be closed.
    mutating func append(message line: [UInt8]) -> Bool { append(Entry(line: line, kind: .message)) }

    mutating func append(_ event: RecordedEvent, _ detail: RecordedEvent.Detail) -> Bool {
        let body = event.event.body
        let kind = Kind.event(
            seq: event.event.seq, subject: body.subject, isWhole: body.isWhole, isSoft: body.isSoft)
        return append(Entry(line: event.line(detail), kind: kind))
    }

    /// The oldest lines, at least one if there is any, together at most `limit` bytes if there are several.
    mutating func take(upTo limit: Int) -> [UInt8] {
        var taken: [UInt8] = []
        var count = 0
        for entry in entries {
            if count > 0, taken.count + entry.line.count > limit { break }
            taken += entry.line
            count += 1
            forget(entry)
        }
        entries.removeFirst(count)
        return taken
    }

    /// Ends with `code`; a client too slow gets a gap instead of the events that waited. `append` is over then.
    mutating func close(_ code: ConnectionEvent.ByeCode) {
        if code == .slow { drop { !$0.isMessage } }
        entries.append(Entry(line: ConnectionEvent.bye(code).wire.line, kind: .message))
    }

    private var isOverfull: Bool { lines > limits.lines || bytes > limits.bytes }

    /// The entry joins first: it may be the one that makes others worthless, or the first to go.
    private mutating func append(_ entry: Entry) -> Bool {
        entries.append(entry)
        remember(entry)
        if isOverfull { coalesce() }
        if isOverfull { drop(\.isSoft) }
        return !isOverfull
    }

    /// Removes soft events that a later one of the same subject made worthless.
    private mutating func coalesce() {
        var told: Set<EventBody.Subject> = []
        var kept: [Entry] = []
        for entry in entries.reversed() {
            var isWorthless = false
            if case .event(_, let subject?, let isWhole, let isSoft) = entry.kind {
                isWorthless = isSoft && told.contains(subject)
                if isWhole { told.insert(subject) }
            }
            if !isWorthless { kept.append(entry) }
        }
        replace(with: kept.reversed())
    }

    /// Removes the events that `isUnwanted` and puts one gap, older gaps included, where the first of them stood.
    private mutating func drop(_ isUnwanted: (Kind) -> Bool) {
        var kept: [Entry] = []
        var loss: Loss?
        var place = 0
        for entry in entries {
            guard entry.kind.isGap || isUnwanted(entry.kind), let part = entry.kind.loss else {
                kept.append(entry)
                continue
            }
            if loss == nil { place = kept.count }
            loss = loss?.joined(part) ?? part
        }
        if let loss { kept.insert(Entry(line: loss.line, kind: .gap(loss)), at: place) }
        replace(with: kept)
    }

    private mutating func replace(with kept: [Entry]) {
        entries = kept
        (lines, bytes) = (0, 0)
        for entry in kept { remember(entry) }
    }

    private mutating func remember(_ entry: Entry) {
        guard !entry.kind.isGap else { return }
        lines += 1
        bytes += entry.line.count
    }

    private mutating func forget(_ entry: Entry) {
        guard !entry.kind.isGap else { return }
        lines -= 1
        bytes -= entry.line.count
    }
}
