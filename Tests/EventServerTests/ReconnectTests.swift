import Events
import TestSupport
import Testing

@testable import EventServer

/// Clients that come and go know what they missed, to the number.
struct ReconnectTests {
    private let ring = 40

    /// What a client has seen of everything that was ever told.
    private struct Record {
        var newest = 0
        var finals: [Int] = []
        var missing: [ClosedRange<Int>] = []
    }

    @Test(arguments: Transport.allCases)
    func `200 random breaks lose no final inside the ring, and what is outside is told exactly`(
        transport: Transport
    ) async throws {
        try await withServer(transport, configure: { $0.ring.events = ring }) { server in
            var random = SplitMix64(seed: 200)
            var told = 0
            var finals: [Int] = []
            func tell(_ count: Int) {
                for _ in 0..<count {
                    told += 1
                    if Bool.random(using: &random) {
                        server.partial(told, "so far")
                    } else {
                        server.final(told, "all")
                        finals.append(told)
                    }
                }
            }
            var record = Record()
            for _ in 0..<200 {
                let client = await server.client()
                let since = #""since":{"boot":"\#(server.boot)","seq":\#(record.newest)}"#
                #expect(await client.ask(#"{"id":1,"cmd":"subscribe",\#(since)}"#)?["ok"] == true)
                let oldest = max(1, told - ring + 1)
                if oldest > record.newest + 1 {
                    let (from, to) = (record.newest + 1, oldest - 1)
                    let gap: JSONValue = [
                        "event": "gap", "from": .int(from), "to": .int(to), "count": .int(to - from + 1),
                        "cause": "ring"
                    ]
                    #expect(await client.next() == gap)
                    record.missing.append(from...to)
                    record.newest = to
                }
                tell(Int.random(in: 0...30, using: &random))
                // Some breaks come before all was read.
                let count = Int.random(in: 0...(told - record.newest), using: &random)
                for message in await client.next(count) {
                    #expect(message["seq"]?.int == record.newest + 1)
                    record.newest += 1
                    if message["event"] == "transcript.final" { record.finals.append(record.newest) }
                }
                await client.hangUp()
                tell(Int.random(in: 0...60, using: &random))
            }
            let inside = finals.filter { final in
                final <= record.newest && !record.missing.contains { $0.contains(final) }
            }
            #expect(record.finals == inside)
            #expect(record.missing.count > 20, "some breaks were longer than the ring")
        }
    }

    @Test(arguments: Transport.allCases)
    func `what was forgotten is a gap for those who come later, and the rest is there`(
        transport: Transport
    ) async throws {
        try await withServer(transport) { server in
            for number in 1...9 { server.final(number, "text", src: [4, 5, 8].contains(number) ? "desk" : "hall") }
            server.sink.emit(.deviceOverrun(lostMs: 1, atMs: 0), src: "desk")
            server.forget("desk")
            let since = #""since":{"boot":"\#(server.boot)","seq":2}"#
            let client = await server.client(subscribed: since)
            #expect(
                await client.next(2) == [
                    ["event": "gap", "from": 4, "to": 5, "count": 2, "cause": "ring"],
                    ["event": "gap", "from": 8, "to": 8, "count": 1, "cause": "ring"]
                ])
            #expect(await client.next(5).map { $0["seq"] } == [3, 6, 7, 9, 10], "how the device is, is not forgotten")
            let last = await server.client(subscribed: #""last":100,"src":"desk""#)
            #expect(await last.next()?["event"] == "device.overrun")
        }
    }

    @Test(arguments: Transport.allCases)
    func `after another boot everything there is comes, behind a gap`(transport: Transport) async throws {
        try await withServer(transport) { server in
            server.final(1, "text")
            let client = await server.client(subscribed: #""since":{"boot":"another","seq":90}"#)
            #expect(await client.next() == ["event": "gap", "from": 1, "to": 0, "count": 0, "cause": "boot"])
            #expect(await client.next()?["seq"] == 1)
        }
    }

    @Test func `the ring forgets its gaps when it has moved on`() {
        var ring = ReplayRing(limits: .init(events: 3))
        func append(_ seq: Int, _ src: String) {
            let event = Event(
                seq: seq, time: Timestamp(milliseconds: 0), src: src, body: .speechStarted(utt: seq, atMs: 0))
            ring.append(RecordedEvent(event, uptimeMs: 0))
        }
        append(1, "a")
        append(2, "b")
        ring.forget(src: "b")
        append(3, "a")
        #expect(ring.missing(from: 1, to: 3) == [2..<3])
        for seq in 4...6 { append(seq, "a") }
        #expect(ring.missing(from: 1, to: 6) == [1..<4])
        ring.forget(src: "a")
        #expect(ring.missing(from: 1, to: 6) == [1..<7])
        #expect(ring.events.isEmpty)
    }
}
