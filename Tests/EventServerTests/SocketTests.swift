import Events
import Foundation
import Testing

@testable import EventServer

/// The socket's file: where it is, who may use it, whose it is.
struct SocketTests {
    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func server(_ path: String) -> EventServer {
        EventServer(configuration: testConfiguration(path: path), commands: Commands())
    }

    @Test func foldersWeMakeAndTheSocketGetTheirModes() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
            let server = server(folder + "/a/b/n.sock")
            try server.bind()
            #expect(try mode(folder) == 0o755, "a folder that was there keeps its mode")
            #expect(try mode(folder + "/a") == 0o750)
            #expect(try mode(folder + "/a/b") == 0o750)
            #expect(try mode(folder + "/a/b/n.sock") == 0o660)
            await server.drain(timeout: .zero)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/a/b") == [])
        }
    }

    @Test func aLiveDaemonKeepsItsSocketAndADeadOneDoesNot() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/n.sock"
            let first = server(path)
            try first.bind()
            #expect(throws: EventServerError.inUse(path: path)) { try server(path).bind() }
            await first.drain(timeout: .zero)

            let dead = try ListeningSocket(path: path)
            dead.close()  // as if killed: the file stays
            #expect(FileManager.default.fileExists(atPath: path))
            let next = server(path)
            try next.bind()
            _ = try EventConnection(paths: [path])
            await next.drain(timeout: .zero)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func whatIsNoSocketIsLeftAlone() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/n.sock"
            try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: EventServerError.notASocket(path: path)) { try server(path).bind() }
            #expect(FileManager.default.contents(atPath: path) == Data("precious".utf8))
        }
    }

    @Test func aPathThatIsTooLongIsRefused() {
        let path = "/tmp/" + String(repeating: "x", count: 103)
        #expect(throws: EventServerError.pathTooLong(path: path, limitBytes: 107)) { try server(path).bind() }
        #expect(throws: ClientError.self) { _ = try EventConnection(paths: [path]) }
    }

    @Test func withoutADaemonAClientSaysHowToStartOne() {
        #expect(throws: ClientError.noDaemon(path: "/nonexistent/n.sock")) {
            _ = try EventConnection(paths: ["/nonexistent/n.sock", "/nonexistent/m.sock"])
        }
    }

    @Test func thePathFollowsOptionThenEnvironment() {
        var environment = [
            "XDG_RUNTIME_DIR": "/run/user/7", "RUNTIME_DIRECTORY": "/run/n:/run/m", "NARRATOR_SOCKET": "/s"
        ]
        func path(_ option: String? = nil) -> String {
            SocketPath.resolve(option: option, environment: environment, uid: 7)
        }
        #expect(path("/o") == "/o")
        #expect(path() == "/s")
        environment["NARRATOR_SOCKET"] = ""
        #expect(path() == "/run/n/narrator.sock")
        environment["RUNTIME_DIRECTORY"] = nil
        #expect(path() == "/run/user/7/narrator/narrator.sock")
        environment["XDG_RUNTIME_DIR"] = nil
        #expect(path() == "/tmp/narrator-7/narrator.sock")
        #expect(
            SocketPath.candidates(option: nil, environment: environment, uid: 7)
                == ["/tmp/narrator-7/narrator.sock", "/run/narrator/narrator.sock"])
        #expect(SocketPath.candidates(option: "/o", environment: environment) == ["/o"])
    }
}
