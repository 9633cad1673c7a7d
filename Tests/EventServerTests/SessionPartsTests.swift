import Events
import TestSupport
import Testing

@testable import EventServer

/// The parts of a session, each by itself.
struct SessionPartsTests {
    @Test(arguments: [
        ("*", "", true), ("*", "a.b", true), ("transcript.*", "transcript.final", true),
        ("transcript.*", "scene", false),
        ("*.final", "answer.final", true), ("*.fin", "answer.final", false), ("a?c", "abc", true), ("a?c", "ac", false),
        ("stats", "stats", true), ("stats", "stats2", false), ("", "", true), ("", "a", false),
        ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)
    ])
    func globsMatchNames(pattern: String, name: String, matches: Bool) {
        #expect(Glob(pattern).matches(name) == matches)
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func linesInPiecesEqualLinesWhole(size: Int) {
        let bytes = Array("one\n\ntwo three\n\nfour".utf8)
        func split(_ size: Int) -> [LineSplitter.Piece] {
            var splitter = LineSplitter(limit: 9)
            var pieces: [LineSplitter.Piece] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                pieces += splitter.append(bytes[start..<min(start + size, bytes.count)])
            }
            return pieces + splitter.finish()
        }
        #expect(split(size) == split(bytes.count))
        #expect(split(size).count == 5)
    }

    @Test func aLineOverTheLimitEndsTheSplitting() {
        var splitter = LineSplitter(limit: 3)
        let pieces = splitter.append(Array("abc\nabcd".utf8))
        #expect(pieces == [.line(Array("abc".utf8)), .tooLong])
        let rest = splitter.append(Array("\nabc\n".utf8))
        #expect(rest == [])
    }

    private func recorded(_ seq: Int, _ body: EventBody, uptimeMs: Int = 0) -> RecordedEvent {
        RecordedEvent(
            Event(seq: seq, time: Timestamp(milliseconds: 0), src: "m", body: body), uptimeMs: uptimeMs)
    }

    @Test func theRingIsBoundedInNumberAgeAndBytes() {
        let body = EventBody.speechStarted(utt: 1, atMs: 0)
        let size = recorded(1, body).line.count
        var ring = ReplayRing(limits: .init(events: 10, ageMs: 1_000, bytes: size * 5))
        for seq in 1...9 { ring.append(recorded(seq, body, uptimeMs: seq)) }
        #expect(ring.events.map(\.event.seq) == [5, 6, 7, 8, 9])
        ring.trim(uptimeMs: 1_007)
        #expect(ring.events.map(\.event.seq) == [7, 8, 9])
        var few = ReplayRing(limits: .init(events: 2))
        for seq in 1...9 { few.append(recorded(seq, body)) }
        #expect(few.events.map(\.event.seq) == [8, 9])
    }

    private let detail = RecordedEvent.Detail(tentative: true, words: true)

    private func partial(_ seq: Int, utt: Int) -> RecordedEvent {
        recorded(
            seq,
            .transcriptPartial(
                .init(utt: utt, rev: seq, committed: "", tentative: "", startMs: 0, endMs: 0, lagMs: 0)))
    }

    private func expectRoom(
        _ expected: Bool, _ hadRoom: Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(hadRoom == expected, sourceLocation: sourceLocation)
    }

    private func messages(_ outbox: inout Outbox) throws -> [JSONValue] {
        var values: [JSONValue] = []
        while !outbox.isEmpty {
            for line in outbox.take(upTo: 1).split(separator: 0x0A) { values.append(try JSONValue(parsing: line)) }
        }
        return values
    }

    @Test func aFullOutboxKeepsTheNewestPartialOfEachUtterance() throws {
        var outbox = Outbox(limits: .init(lines: 4))
        for seq in 1...9 { expectRoom(true, outbox.append(partial(seq, utt: seq % 2), detail)) }
        let sent = try messages(&outbox)
        #expect(sent.suffix(2).map { $0["seq"] } == [8, 9])
        #expect(!sent.contains { $0["event"] == "gap" })
    }

    @Test func thenSoftEventsGoAndLeaveAGap() throws {
        var outbox = Outbox(limits: .init(lines: 4))
        for seq in 1...4 { expectRoom(true, outbox.append(partial(seq, utt: seq), detail)) }
        for seq in 5...7 { expectRoom(true, outbox.append(recorded(seq, .speechStarted(utt: seq, atMs: 0)), detail)) }
        let sent = try messages(&outbox)
        #expect(sent.first == ["event": "gap", "from": 1, "to": 4, "count": 4, "cause": "queue"])
        #expect(sent.dropFirst().map { $0["seq"] } == [5, 6, 7])
    }

    private let moment = SceneMoment(scene: 1, frameMs: 0, reason: .change)

    private func delta(_ seq: Int) -> RecordedEvent { recorded(seq, .sceneDelta(moment, text: "word \(seq)")) }

    private func sceneFinal(_ seq: Int) -> RecordedEvent {
        recorded(seq, .sceneFinal(FinalScene(moment: moment, text: "words", latencyMs: 0)))
    }

    @Test func theDeltasOfASceneGoOnceItsFinalIsThere() throws {
        var outbox = Outbox(limits: .init(lines: 5))
        expectRoom(true, outbox.append(recorded(1, .sceneStarted(moment)), detail))
        for seq in 2...5 { expectRoom(true, outbox.append(delta(seq), detail)) }
        expectRoom(true, outbox.append(sceneFinal(6), detail))
        #expect(try messages(&outbox).map { $0["seq"] } == [6])
    }

    @Test func aTextOfDeltasIsNeverCutWithoutAGap() throws {
        var outbox = Outbox(limits: .init(lines: 4))
        for seq in 1...6 { expectRoom(true, outbox.append(delta(seq), detail)) }
        let sent = try messages(&outbox)
        #expect(sent.first == ["event": "gap", "from": 1, "to": 5, "count": 5, "cause": "queue"])
        #expect(sent.dropFirst().map { $0["seq"] } == [6])
    }

    @Test func aFinalSceneIsNeverDropped() throws {
        var outbox = Outbox(limits: .init(lines: 3))
        for seq in 1...3 { expectRoom(true, outbox.append(sceneFinal(seq), detail)) }
        expectRoom(true, outbox.append(partial(4, utt: 1), detail))
        #expect(try messages(&outbox).filter { $0["event"] == "scene.final" }.count == 3)
        for seq in 5...7 { expectRoom(true, outbox.append(sceneFinal(seq), detail)) }
        expectRoom(false, outbox.append(sceneFinal(8), detail))
    }

    @Test func thenTheClientIsTooSlow() throws {
        var outbox = Outbox(limits: .init(lines: 4))
        expectRoom(true, outbox.append(message: Array("{}\n".utf8)))
        for seq in 1...3 { expectRoom(true, outbox.append(recorded(seq, .speechStarted(utt: seq, atMs: 0)), detail)) }
        expectRoom(false, outbox.append(recorded(4, .speechStarted(utt: 4, atMs: 0)), detail))
        outbox.close(.slow)
        let sent = try messages(&outbox)
        #expect(
            sent == [
                [:], ["event": "gap", "from": 1, "to": 4, "count": 4, "cause": "queue"],
                ["event": "bye", "code": "slow"]
            ])
    }

    @Test(arguments: 0..<20)
    func whateverHappensNothingIsLostSilently(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var outbox = Outbox(limits: .init(lines: 8, bytes: 1_500))
        var received: [JSONValue] = []
        var hard: [Int] = []
        var seq = 0
        while outbox.isEmpty || seq < 300 {
            seq += 1
            if Bool.random(using: &random) {
                expectRoom(true, outbox.append(partial(seq, utt: Int.random(in: 0..<4, using: &random)), detail))
            } else {
                hard.append(seq)
                let fits = outbox.append(recorded(seq, .speechStarted(utt: seq, atMs: 0)), detail)
                if !fits {
                    outbox.close(.slow)
                    break
                }
            }
            if Int.random(in: 0..<3, using: &random) > 0, !outbox.isEmpty {
                for line in outbox.take(upTo: 300).split(separator: 0x0A) {
                    received.append(try JSONValue(parsing: line))
                }
            }
        }
        received += try messages(&outbox)
        let gaps = received.filter { $0["event"] == "gap" }.compactMap { gap -> ClosedRange<Int>? in
            guard let from = gap["from"]?.int, let to = gap["to"]?.int, from <= to else { return nil }
            return from...to
        }
        let numbers = received.compactMap { $0["seq"]?.int }
        #expect(numbers == numbers.sorted())
        for number in hard { #expect(numbers.contains(number) || gaps.contains { $0.contains(number) }) }
    }
}
