import Events

/// What a client asks for with `subscribe`.
struct SubscribeRequest {
    enum Partials: String, CaseIterable { case committed, full, off }

    var events = [Glob("*")]
    var sources = [Glob("*")]
    var partials = Partials.full
    var words = false
    var state = false
    var since: (boot: String, seq: Int)?
    var last: Int?

    init(_ fields: JSONObject) throws(CommandError) {
        if let value = fields["events"] { events = try Self.globs(value, field: "events") }
        if let value = fields["src"] { sources = try Self.globs(value, field: "src") }
        if let value = fields["partials"] {
            guard let mode = value.string.flatMap(Partials.init) else {
                throw CommandError(.badValue, "`partials` is \"full\", \"committed\" or \"off\".", field: "partials")
            }
            partials = mode
        }
        words = try Self.flag(fields["words"], field: "words")
        state = try Self.flag(fields["state"], field: "state")
        if let value = fields["last"] {
            guard let count = value.int, count >= 0 else {
                throw CommandError(.badValue, "`last` is a whole number from 0.", field: "last")
            }
            last = count
        }
        if let value = fields["since"] {
            guard let object = value.object, let boot = object["boot"]?.string, let seq = object["seq"]?.int, seq >= 0,
                object.members.count == 2
            else {
                throw CommandError(
                    .badValue, "`since` is {\"boot\":\"…\",\"seq\":N} with the newest number you have.", field: "since")
            }
            since = (boot, seq)
        }
    }

    /// One pattern or a list of them.
    private static func globs(_ value: JSONValue, field: String) throws(CommandError) -> [Glob] {
        let patterns = value.string.map { [$0] } ?? value.array?.compactMap(\.string) ?? []
        guard !patterns.isEmpty, patterns.count == value.array?.count ?? 1 else {
            throw CommandError(
                .badValue, "`\(field)` is a pattern such as \"transcript.*\" or a list of patterns.", field: field)
        }
        return patterns.map(Glob.init)
    }

    private static func flag(_ value: JSONValue?, field: String) throws(CommandError) -> Bool {
        guard let value else { return false }
        guard let flag = value.bool else { throw CommandError(.badValue, "`\(field)` is true or false.", field: field) }
        return flag
    }
}

/// One `subscribe` in force: decides which events go out and how much of them.
struct Subscription {
    let id: Int
    /// The first event it has sent all it wants from: that of its replay, else the one after its reply.
    private let firstSeq: Int
    private let request: SubscribeRequest
    /// Bytes of committed text sent per utterance that has no final yet.
    private var committedSent: [Int: Int] = [:]

    init(id: Int, request: SubscribeRequest, firstSeq: Int) {
        self.id = id
        self.request = request
        self.firstSeq = firstSeq
    }

    /// What of `event` this subscription wants; nil for nothing. Events come in order.
    mutating func detail(of event: Event) -> RecordedEvent.Detail? {
        guard wants(event) else { return nil }
        switch (event.body, request.partials) {
        case (.transcriptPartial(let partial), .committed):
            guard partial.committed.utf8.count > committedSent[partial.utt, default: 0] else { return nil }
            committedSent[partial.utt] = partial.committed.utf8.count
            return RecordedEvent.Detail(tentative: false, words: request.words)
        case (.transcriptFinal(let final), _): committedSent[final.utt] = nil
        case (.transcriptDiscarded(let utt, _, _), _): committedSent[utt] = nil
        default: break
        }
        return RecordedEvent.Detail(tentative: true, words: request.words)
    }

    /// Whether `event` has gone out, or has been weighed, for this subscription.
    func covers(_ event: Event) -> Bool { event.seq >= firstSeq && wants(event) }

    private func wants(_ event: Event) -> Bool {
        if case .transcriptPartial = event.body, request.partials == .off { return false }
        return request.events.contains { $0.matches(event.body.name) }
            && request.sources.contains { $0.matches(event.src) }
    }
}
