import Events
import Testing

@testable import EventServer

/// Which events a client gets, and in which order.
struct SubscriptionTests {
    @Test(arguments: Transport.allCases)
    func eventsAreChosenByNameAndSource(transport: Transport) async throws {
        try await withServer(transport) { server in
            let client = await server.client(subscribed: #""events":["speech.*","*.final"],"src":"desk""#)
            server.sink.emit(.speechStarted(utt: 1, atMs: 0), src: "desk")
            server.partial(1, "no", src: "desk")
            server.final(1, "elsewhere", src: "hall")
            server.sink.emit(.stats([:]), src: "desk")
            server.final(1, "yes", src: "desk")
            let events = await client.next(2)
            #expect(events.map { $0["event"] } == ["speech.started", "transcript.final"])
            #expect(events.map { $0["seq"] } == [1, 5], "what is filtered out leaves holes")
        }
    }

    @Test(
        arguments: Transport.allCases,
        [
            ("full", ["A- b", "A- b c", "A B-", "A B- c"]), ("committed", ["A-", "A B-"]), ("off", [])
        ])
    func partialsComeInThreeModes(transport: Transport, mode: (String, [String])) async throws {
        try await withServer(transport) { server in
            let client = await server.client(subscribed: #""partials":"\#(mode.0)""#)
            server.partial(1, "A", " b")
            server.partial(1, "A", " b c")
            server.partial(1, "A B")
            server.partial(1, "A B", " c")
            server.final(1, "A B C")
            let events = await client.next(mode.1.count + 1)
            let shown = events.dropLast().map {
                ($0["committed"]?.string ?? "") + "-" + ($0["tentative"]?.string ?? "")
            }
            #expect(shown == mode.1)
            #expect(events.last?["text"] == "A B C")
        }
    }

    @Test(arguments: Transport.allCases)
    func wordsGoToThoseWhoAskForThem(transport: Transport) async throws {
        try await withServer(transport) { server in
            let plain = await server.client(subscribed: "")
            let asking = await server.client(subscribed: #""words":true"#)
            server.final(1, "Hi", words: [.init(text: "Hi", startMs: 0, endMs: 10, confidence: 1)])
            #expect(await plain.next()?["words"] == nil)
            #expect(await asking.next()?["words"]?.array?.count == 1)
        }
    }

    @Test(arguments: Transport.allCases)
    func twoSubscriptionsOfAClientGetAnEventOnce(transport: Transport) async throws {
        try await withServer(transport) { server in
            let client = await server.client(subscribed: #""events":"transcript.*","partials":"off""#)
            let second = await client.ask(#"{"id":2,"cmd":"subscribe","events":["*"],"partials":"full","words":true}"#)
            #expect(second?["result"]?["sub"] == 2)
            server.partial(1, "a", " b")
            server.final(1, "a b", words: [])
            server.final(2, "c")
            let events = await client.next(3)
            #expect(events.map { $0["seq"] } == [1, 2, 3])
            #expect(events[1]["words"] != nil, "what one of them asked for is there")

            #expect(await client.ask(#"{"id":3,"cmd":"unsubscribe","sub":2}"#)?["ok"] == true)
            server.partial(3, "d")
            server.final(3, "d")
            #expect(await client.next()?["text"] == "d")
            #expect(await client.ask(#"{"id":4,"cmd":"unsubscribe","sub":1}"#)?["ok"] == true)
            server.final(4, "unheard")
            #expect(await client.ask(#"{"id":5,"cmd":"ping"}"#)?["id"] == 5)
        }
    }

    @Test(arguments: Transport.allCases)
    func theNewestEventsAreReplayedAfterTheReply(transport: Transport) async throws {
        try await withServer(transport) { server in
            for number in 1...10 {
                server.final(number, "text \(number)")
                server.sink.emit(.stats([:]), src: "daemon")
            }
            let client = await server.client()
            let reply = await client.ask(#"{"id":1,"cmd":"subscribe","events":["transcript.*"],"last":3}"#)
            #expect(reply?["result"] == ["sub": 1, "boot": .string(server.boot), "seq": 20])
            server.final(11, "text 11")
            let texts = await client.next(4).map { $0["text"] }
            #expect(texts == ["text 8", "text 9", "text 10", "text 11"], "counted after filtering, then live")
            let again = await client.ask(#"{"id":2,"cmd":"subscribe","events":["transcript.*"],"last":5}"#)
            #expect(again?["ok"] == true)
            #expect(await client.next(1).map { $0["text"] } == ["text 7"], "what the client has is not sent again")
        }
    }

    @Test(arguments: Transport.allCases)
    func nothingIsLostOrDoubledBetweenReplayAndLive(transport: Transport) async throws {
        try await withServer(transport) { server in
            let count = 600
            async let emitting: Void = Task.detached {
                for number in 1...count {
                    server.final(number, "x")
                    await Task.yield()
                }
            }.value
            let client = await server.client()
            await client.send(#"{"id":1,"cmd":"subscribe","last":1000}"#)
            let messages = await client.next(count + 1)
            await emitting
            #expect(messages.first?["ok"] == true, "the reply comes before any event")
            #expect(messages.dropFirst().map { $0["seq"]?.int } == Array(1...count))
        }
    }

    @Test(arguments: Transport.allCases)
    func aClientComesBackWhereItLeft(transport: Transport) async throws {
        try await withServer(transport) { server in
            for number in 1...5 { server.final(number, "text \(number)") }
            let since = #""since":{"boot":"\#(server.boot)","seq":3}"#
            let client = await server.client(subscribed: since)
            #expect(await client.next(2).map { $0["seq"] } == [4, 5])
            let ahead = #"{"id":2,"cmd":"subscribe","since":{"boot":"\#(server.boot)","seq":6}}"#
            #expect(await server.client().ask(ahead)?["error"]?["field"] == "since")
        }
    }

    @Test(arguments: Transport.allCases)
    func whatTheRingForgotIsAGap(transport: Transport) async throws {
        try await withServer(transport, configure: { $0.ring.events = 3 }) { server in
            for number in 1...10 { server.final(number, "text \(number)") }
            let same = await server.client(subscribed: #""since":{"boot":"\#(server.boot)","seq":4}"#)
            #expect(await same.next() == ["event": "gap", "from": 5, "to": 7, "count": 3, "cause": "ring"])
            #expect(await same.next(3).map { $0["seq"] } == [8, 9, 10])
            let other = await server.client(subscribed: #""since":{"boot":"another","seq":90}"#)
            #expect(await other.next()?["cause"] == "boot")
            #expect(await other.next(3).map { $0["seq"] } == [8, 9, 10])
        }
    }

    @Test(arguments: Transport.allCases)
    func aSnapshotTellsWhatIsGoingOn(transport: Transport) async throws {
        try await withServer(transport) { server in
            server.sink.emit(.speechStarted(utt: 1, atMs: 0), src: "m")
            server.partial(1, "one")
            server.sink.emit(.speechStopped(utt: 1, atMs: 9, cause: .endpoint), src: "m")
            server.final(1, "one")
            server.sink.emit(.speechStarted(utt: 2, atMs: 10), src: "m")
            server.partial(2, "two")
            server.partial(2, "two three")
            let client = await server.client(subscribed: #""state":true"#)
            #expect(await client.next(2).map { $0["seq"] } == [5, 7])
        }
    }

    @Test(arguments: Transport.allCases)
    func aSnapshotTellsWhatIsBeingDescribed(transport: Transport) async throws {
        try await withServer(transport) { server in
            let told = SceneMoment(scene: 1, frameMs: 0, reason: .first)
            let open = SceneMoment(scene: 2, frameMs: 9, reason: .ask)
            server.sink.emit(.sceneStarted(told), src: "camera")
            server.sink.emit(.sceneFinal(FinalScene(moment: told, text: "mug", latencyMs: 0)), src: "camera")
            server.sink.emit(.sceneStarted(open), src: "camera")
            server.sink.emit(.sceneDelta(open, text: "A cup"), src: "camera")
            server.sink.emit(.sceneDelta(open, text: " of"), src: "camera")
            let client = await server.client(subscribed: #""state":true"#)
            #expect(await client.next(3).map { $0["seq"] } == [3, 4, 5])
        }
    }

    @Test(arguments: Transport.allCases)
    func scenesAreChosenAndReplayedAsTranscriptsAre(transport: Transport) async throws {
        try await withServer(transport) { server in
            let moment = SceneMoment(scene: 1, frameMs: 40, reason: .first)
            server.sink.emit(.sceneStarted(moment), src: "camera")
            server.final(1, "speech")
            server.sink.emit(.sceneFinal(FinalScene(moment: moment, text: "mug", latencyMs: 0)), src: "camera")
            let client = await server.client(subscribed: #""events":"scene.final","last":5,"partials":"off""#)
            let final = await client.next()
            #expect(final?["seq"] == 3)
            #expect(final?["src"] == "camera")
            #expect(final.flatMap(FinalScene.init(wire:))?.text == "mug")
        }
    }
}
