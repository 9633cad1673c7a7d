import Events
import Testing

@testable import EventServer

/// The protocol as a client sees it, in memory and over a socket.
struct ProtocolTests {
    @Test(arguments: Transport.allCases)
    func theServerSpeaksFirst(transport: Transport) async throws {
        try await withServer(transport) { server in
            server.final(1, "before")
            let hello = await server.connect().next()
            #expect(hello?["event"] == "hello")
            #expect(hello?["proto"] == 1)
            #expect(hello?["server"] == "narrator/0.1.0")
            #expect(hello?["boot"] == .string(server.boot))
            #expect(hello?["seq"] == 1)
            #expect(hello?["role"] == "control")
            #expect(hello?["pipeline"] == "test")
            #expect(hello?["sources"]?.array?.first?["id"] == "microphone")
            #expect(hello?["limits"]?["request_bytes"] == 65_536)
        }
    }

    @Test(arguments: Transport.allCases)
    func everyRequestGetsOneReplyWithItsId(transport: Transport) async throws {
        try await withServer(transport) { server in
            let client = await server.client()
            #expect(await client.ask(#"{"id":7,"cmd":"ping"}"#)?["id"] == 7)
            #expect(await client.ask(#"{"id":"seven","cmd":"ping"}"#)?["id"] == "seven")
            #expect(await client.ask(#"{"cmd":"ping"}"#)?["id"] == JSONValue.null)
            await client.send("{\"id\":1,\"cmd\":\"ping\"}\r\n\n \n{\"id\":2,\"cmd\":\"ping\"}")
            #expect(await client.next(2).map { $0["id"] } == [1, 2])
            let devices = await client.ask(#"{"id":8,"cmd":"devices"}"#)
            #expect(devices == ["id": 8, "ok": true, "result": ["microphones": []]])
            let status = await client.ask(#"{"id":9,"cmd":"status"}"#)?["result"]
            #expect(status?["clients"] == 1)
            #expect(status?["lag_ms"] == 0, "the daemon adds what it knows")
            let stats = await client.ask(#"{"id":10,"cmd":"stats"}"#)?["result"]
            #expect(stats?["clients"] == 1)
            #expect(stats?["lag_ms"] == 0)
        }
    }

    @Test(
        arguments: Transport.allCases,
        [
            (#"{"id":1,"cmd":"fly"}"#, "unknown_command", "cmd"),
            (#"{"id":1}"#, "bad_request", "cmd"),
            (#"{"id":1,"cmd":"ping","loud":true}"#, "unknown_field", "loud"),
            (#"{"id":1,"cmd":"subscribe","event":"x"}"#, "unknown_field", "event"),
            (#"{"id":1,"cmd":"subscribe","events":[1]}"#, "bad_value", "events"),
            (#"{"id":1,"cmd":"subscribe","events":[]}"#, "bad_value", "events"),
            (#"{"id":1,"cmd":"subscribe","partials":"some"}"#, "bad_value", "partials"),
            (#"{"id":1,"cmd":"subscribe","words":1}"#, "bad_value", "words"),
            (#"{"id":1,"cmd":"subscribe","last":-1}"#, "bad_value", "last"),
            (#"{"id":1,"cmd":"subscribe","last":1.5}"#, "bad_value", "last"),
            (#"{"id":1,"cmd":"subscribe","since":{"boot":"x"}}"#, "bad_value", "since"),
            (#"{"id":1,"cmd":"unsubscribe","sub":4}"#, "bad_value", "sub"),
            (#"{"id":1,"cmd":"graph"}"#, "not_available", nil),
            (#"{"id":1,"cmd":"describe","source":"camera"}"#, "unknown_field", "source"),
            (#"{"id":1,"cmd":"mute","source":"microphone"}"#, "unknown_field", "source"),
            (#"{"id":1,"cmd":"pause","src":"microphone"}"#, "unknown_field", "src"),
            (#"{"id":1,"cmd":"set","stage":"a","silence_ms":7}"#, "unknown_field", "silence_ms"),
            (#"{"id":1,"cmd":"snapshot","width":640}"#, "unknown_field", "width"),
            (#"{"id":1,"cmd":"describe","src":"camera"}"#, "not_available", nil),
            (#"{"id":1,"cmd":"snapshot","src":"camera","max_width":640}"#, "not_available", nil)
        ])
    func aBadRequestIsRefusedAndSaysWhere(transport: Transport, bad: (String, String, String?)) async throws {
        try await withServer(transport) { server in
            let client = await server.client()
            let reply = await client.ask(bad.0)
            #expect(reply?["id"] == 1)
            #expect(reply?["ok"] == false)
            #expect(reply?["error"]?["code"] == .string(bad.1))
            #expect(reply?["error"]?["field"] == bad.2.map { .string($0) } ?? .null)
            #expect(await client.ask(#"{"id":2,"cmd":"ping"}"#)?["ok"] == true)
        }
    }

    @Test(arguments: Transport.allCases, ["nonsense", "[1]", "7", "{\"id\":", "{\"id\":1,\"id\":2}"])
    func garbageIsAnsweredAndTheConnectionStays(transport: Transport, garbage: String) async throws {
        try await withServer(transport) { server in
            let client = await server.client()
            let reply = await client.ask(garbage)
            #expect(reply?["id"] == JSONValue.null)
            #expect(reply?["ok"] == false)
            await client.send([0x7B, 0xFF, 0xFE, 0x0A])
            #expect(await client.next()?["error"]?["code"] == "bad_request")
            #expect(await client.ask(#"{"id":2,"cmd":"ping"}"#)?["ok"] == true)
        }
    }

    @Test(arguments: Transport.allCases)
    func aLineOf64KiBIsReadAndALongerOneEndsTheConnection(transport: Transport) async throws {
        try await withServer(transport) { server in
            let client = await server.client()
            let request = #"{"id":1,"cmd":"ping"}"#
            #expect(
                await client.ask(request + String(repeating: " ", count: 65_536 - request.utf8.count))?["ok"] == true)
            await client.send(request + String(repeating: " ", count: 65_537 - request.utf8.count))
            let rest = await client.rest()
            #expect(rest.map { $0["error"]?["code"] ?? $0["code"] } == ["too_long", "protocol"])
        }
    }

    @Test(arguments: Transport.allCases)
    func aClientMayStopSendingAndGoOnListening(transport: Transport) async throws {
        try await withServer(transport) { server in
            let client = await server.client(subscribed: "")
            await client.endInput()
            server.final(1, "still here")
            #expect(await client.next()?["text"] == "still here")
        }
    }

    @Test(arguments: Transport.allCases)
    func aClientThatAskedAndStoppedGetsItsAnswersAndTheEnd(transport: Transport) async throws {
        try await withServer(transport) { server in
            let client = await server.client()
            await client.send(#"{"id":1,"cmd":"ping"}"#)
            await client.send(Array(#"{"id":2,"cmd":"ping"}"#.utf8))  // no line feed
            await client.endInput()
            #expect(await client.rest().map { $0["id"] } == [1, 2])
        }
    }

    @Test(arguments: Transport.allCases)
    func quitIsAnsweredBeforeTheDaemonIsTold(transport: Transport) async throws {
        let (heard, hear) = AsyncStream.makeStream(of: String.self)
        try await withServer(transport, commands: Commands(hear)) { server in
            let client = await server.client()
            #expect(await client.ask(#"{"id":1,"cmd":"quit"}"#) == ["id": 1, "ok": true, "result": [:]])
            var commands = heard.makeAsyncIterator()
            #expect(await commands.next() == "quit")
            #expect(await client.ask(#"{"id":2,"cmd":"ping"}"#)?["ok"] == true)
        }
    }

    @Test func aClientThatAsksAndHangsUpIsHeard() async throws {
        let (heard, hear) = AsyncStream.makeStream(of: String.self)
        try await withServer(.socket, commands: Commands(hear)) { server in
            for _ in 0..<20 {
                let client = await server.connect()  // its hello stays unread
                await client.send(#"{"id":1,"cmd":"quit"}"#)
                await client.hangUp()
            }
            var count = 0
            for await command in heard where command == "quit" {
                count += 1
                if count == 20 { break }
            }
        }
    }

    @Test(arguments: Transport.allCases)
    func shuttingDownDeliversWhatWaitsAndSaysBye(transport: Transport) async throws {
        try await withServer(transport) { server in
            let client = await server.client(subscribed: "")
            server.final(1, "last words")
            async let done: Void = server.shutDown()
            let rest = await client.rest()
            await client.hangUp()
            await done
            #expect(rest.map { $0["event"] } == ["transcript.final", "bye"])
            #expect(rest.last == ["event": "bye", "code": "shutdown"])
        }
    }

    @Test(arguments: Transport.allCases)
    func theServerKnowsWhenEnoughClientsHaveSubscribed(transport: Transport) async throws {
        try await withServer(transport) { server in
            async let ready: Void = server.waitForSubscribers(2)
            let clients = [await server.client(subscribed: ""), await server.client(subscribed: "")]
            await ready
            for client in clients { await client.hangUp() }
        }
    }

    @Test func aReaderMayLookButNotTouch() {
        for command in [
            "quit", "describe", "snapshot", "mute", "unmute", "pause", "resume", "flush", "set", "reload"
        ] {
            let line = Array(#"{"id":1,"cmd":"\#(command)"}"#.utf8)
            #expect(throws: Request.Refusal.self) { try Request(parsing: line, role: .read) }
            #expect(throws: Never.self) { try Request(parsing: line, role: .control) }
        }
        for command in ["subscribe", "status", "ping", "graph", "stats", "devices", "models"] {
            let line = Array(#"{"id":1,"cmd":"\#(command)"}"#.utf8)
            #expect(throws: Never.self) { try Request(parsing: line, role: .read) }
        }
    }
}
