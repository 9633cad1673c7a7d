import Events
import Testing

@testable import EventServer

/// A client that does not read costs the others nothing and knows what it lost.
struct SlowClientTests {
    /// More than the outbox here and the buffers of the kernel hold.
    private let flood = 1_500
    private let text = String(repeating: "a long sentence ", count: 50)

    /// The machine may be slow, too: no test is about how long a client is waited for.
    private func slowly(_ configuration: inout EventServer.Configuration) {
        configuration.outbox = Outbox.Limits(lines: 200)
        configuration.closingGrace = .seconds(600)
    }

    @Test(arguments: Transport.allCases)
    func aSlowClientGetsAGapAndIsLetGoWhileOthersGetAll(transport: Transport) async throws {
        try await withServer(transport, configure: slowly) { server in
            let slow = await server.client(subscribed: "")
            let quick = await server.client(subscribed: "")
            for number in 1...flood {
                server.final(number, text)  // returns although nobody reads
                #expect(await quick.next()?["seq"]?.int == number)
            }
            let messages = await slow.rest()
            let numbers = messages.compactMap { $0["seq"]?.int }
            #expect(numbers == Array(1..<(numbers.count + 1)))
            let gap = messages.dropLast().last
            #expect(gap?["event"] == "gap")
            #expect(gap?["cause"] == "queue")
            #expect(gap?["from"]?.int == numbers.count + 1)
            #expect(gap?["count"]?.int == (gap?["to"]?.int ?? 0) - numbers.count)
            #expect(messages.last == ["event": "bye", "code": "slow"])
        }
    }

    @Test(arguments: Transport.allCases)
    func partialsAreCoalescedBeforeAnythingIsLost(transport: Transport) async throws {
        try await withServer(transport, configure: slowly) { server in
            let slow = await server.client(subscribed: "")
            for rev in 1...flood { server.partial(1, rev: rev, text) }
            for rev in 1...flood { server.partial(2, rev: rev, text) }
            server.final(1, text)
            let last = #"{"id":9,"cmd":"ping"}"#
            await slow.send(last)
            var messages: [JSONValue] = []
            while let message = await slow.next(), message["id"] != 9 { messages.append(message) }
            #expect(!messages.contains { $0["event"] == "gap" })
            #expect(messages.last?["event"] == "transcript.final")
            #expect(messages.last { $0["utt"] == 2 }?["rev"]?.int == flood, "the newest partial always arrives")
            let numbers = messages.compactMap { $0["seq"]?.int }
            #expect(numbers == numbers.sorted())
        }
    }

    @Test(arguments: Transport.allCases)
    func everySubscriberGetsEveryEventInOrder(transport: Transport) async throws {
        try await withServer(transport) { server in
            let (subscribers, events) = (100, 500)
            let stalled = await server.client(subscribed: "")  // never reads
            var clients: [any TestClient] = []
            for _ in 0..<subscribers { clients.append(await server.client(subscribed: "")) }
            for number in 1...events { server.final(number, "event \(number)") }
            await withTaskGroup { group in
                for client in clients {
                    group.addTask {
                        let numbers = await client.next(events).map { $0["seq"]?.int }
                        #expect(numbers == Array(1...events))
                    }
                }
            }
            await stalled.hangUp()
        }
    }

    @Test(arguments: Transport.allCases)
    func clientsThatDieTakeNothingWithThem(transport: Transport) async throws {
        try await withServer(transport) { server in
            for _ in 0..<20 {
                let client = await server.client(subscribed: "")
                server.final(1, text)
                await client.hangUp()
                server.final(2, text)
            }
            let client = await server.client(subscribed: #""last":1"#)
            #expect(await client.next()?["seq"] == 40)
        }
    }
}
