import Foundation
import Synchronization
import Testing

@testable import Catalog

@Suite(.enabled(if: canRun("python3", "-c", ""), "waits for python3, which serves the files"))
struct HubPullTests {
    @Test func theMadeFileIsKeptAndThePublishedOnesGo() async throws {
        let hub = try HubFixture()
        let store = hub.store("open")
        #expect(store.state(of: hub.entry) == .absent)
        let told = Told()
        try await hub.pull(from: store, told: told)
        let folder = store.folder(of: hub.entry)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
                == [".verified.json", "model-q4.gguf"])
        #expect(try Data(contentsOf: store.resolve("hubby")) == HubFixture.made("q4"))
        #expect(store.state(of: hub.entry) == .installed)
        #expect(!FileManager.default.fileExists(atPath: store.stagingFolder(of: hub.entry).path))
        #expect(told.events.withLock { $0.last } == .discarded(hub.entry))
        try await hub.pull(from: store, told: told)
        #expect(
            told.events.withLock { $0.last }
                == .alreadyInstalled(hub.entry, path: folder.appendingPathComponent("model-q4.gguf").path))
    }

    @Test func theTokenIsShownToTheHubOnly() async throws {
        let hub = try HubFixture()
        try await hub.pull(from: hub.store("cut", token: "good\n"))  // as a file gives it
        let log = try hub.log()
        #expect(log.filter { $0.hasPrefix("hub") }.allSatisfy { $0.hasSuffix(" token") })
        let others = log.filter { $0.hasPrefix("store") }
        #expect(!others.isEmpty && others.allSatisfy { !$0.contains("token") }, "\(log)")
        #expect(others.contains { $0.contains("bytes=") }, "a cut connection goes on where it ended: \(others)")
    }

    @Test(arguments: [("", "no token"), (" \n", "no token"), ("two\nlines", "is no token"), ("bad", "does not give")])
    func whoIsNotLetInIsToldWhatToDo(token: String, reason: String) async throws {
        let hub = try HubFixture()
        let store = hub.store("open", token: token)
        let error = await #expect(throws: CatalogError.self) { try await hub.pull(from: store) }
        guard case .gated("hubby", let page, let said) = error else { return #expect(Bool(false), "\(error!)") }
        #expect(said.contains(reason) && page.hasSuffix("/owner/hubby"))
        #expect(error!.description.contains("HF_TOKEN") && error!.description.contains("local folder"))
        #expect(store.state(of: hub.entry) == .absent)
    }

    @Test(arguments: [
        ("lying", "its hash is another"), ("mute", "does not tell the hash"), ("odd", "cannot be shards"),
        ("round", "does not say"),
        ("none/such", "status 404")
    ])
    func aHubThatCannotBeReliedOnGivesNothing(kind: String, reason: String) async throws {
        let hub = try HubFixture(lacksShard: kind == "none/such")
        let store = hub.store(kind)
        let error = await #expect(throws: CatalogError.self) { try await hub.pull(from: store) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "nothing")")
        #expect(store.state(of: hub.entry) == .absent)
        #expect(throws: CatalogError.self) { try store.resolve("hubby") }
    }

    @Test(arguments: ["open", "cut", "lying", "mute", "odd", "round"], ["good", "hf_secret", "hf secret"])
    func theTokenIsNeverTold(kind: String, token: String) async throws {
        let hub = try HubFixture()
        let told = Told()
        var words = ""
        do { try await hub.pull(from: hub.store(kind, token: token), told: told) } catch {
            words = "\(error) \(error.localizedDescription)"
            dump(error, to: &words)
        }
        for event in told.events.withLock({ $0 }) { dump(event, to: &words) }
        #expect(!words.contains(token), "\(words)")
    }

    @Test func twoPullsAtOnceFetchOnce() async throws {
        let hub = try HubFixture()
        let store = hub.store("open")
        async let first: Void = HubFixture.pull(from: store)
        async let second: Void = HubFixture.pull(from: store)
        _ = try await (first, second)
        #expect(try hub.log().filter { $0.hasPrefix("store GET") }.count == HubFixture.shards.count)
        #expect(store.installedWeights(of: hub.entry) == ["q4"])
    }

    @Test func aHubOutOfReachIsSaid() async throws {
        let hub = try HubFixture()
        let store = hub.store("open")
        hub.end()
        let error = await #expect(throws: CatalogError.self) { try await hub.pull(from: store) }
        guard case .pullFailed("hubby", let attempts) = error else { return #expect(Bool(false), "\(error!)") }
        #expect(attempts.count == 1 && attempts[0].reason.contains("connect"), "\(attempts)")
    }

    @Test(.enabled(if: Mount.isPermitted, "needs root, who may mount"))
    func aFullDiskIsSaidAndWhatHasArrivedIsKept() async throws {
        let hub = try HubFixture()
        let store = hub.store("open")
        try FileManager.default.createDirectory(at: store.root, withIntermediateDirectories: true)
        let disk = try Mount(tmpfsOf: 256 << 10, at: store.root)
        let error = await #expect(throws: CatalogError.self) { try await hub.pull(from: store) }
        guard case .storeFailed(_, "No space left on device") = error else { return #expect(Bool(false), "\(error!)") }
        try disk.resize(to: 4 << 20)
        try await hub.pull(from: store)
        #expect(try Data(contentsOf: store.resolve("hubby")) == HubFixture.made("q4"))
        let fetched = try hub.log().filter { $0.hasPrefix("store GET") }
        #expect(fetched.filter { $0.hasSuffix("whole") }.count == 2 && fetched.count == 3, "\(fetched)")
    }

    @Test func afterAFailureToMakeItNothingIsFetchedAgain() async throws {
        let hub = try HubFixture()
        let store = hub.store("open")
        struct NoSpace: Error {}
        await #expect(throws: NoSpace.self) {
            try await store.pull("hubby", weights: "q4", report: { _ in }, make: { _, _ in throw NoSpace() })
        }
        #expect(store.state(of: hub.entry) == .absent)
        let before = try hub.log().filter { $0.contains("GET") }
        try await hub.pull(from: store)
        #expect(try hub.log().filter { $0.contains("GET") } == before)
        #expect(store.state(of: hub.entry) == .installed)
    }

    @Test func whatAnEarlierPullLeftIsNotFetchedAgainAndBadBytesAre() async throws {
        let hub = try HubFixture()
        let store = hub.store("open")
        let staging = store.stagingFolder(of: hub.entry)
        try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
        let part = staging.appendingPathComponent("\(HubFixture.shards[0]).part")
        try HubFixture.content(HubFixture.shards[0]).prefix(1_000).write(to: part)
        let other = staging.appendingPathComponent("\(HubFixture.shards[1]).part")
        try Data(repeating: 1, count: 1_000).write(to: other)
        let error = await #expect(throws: CatalogError.self) { try await hub.pull(from: store) }
        #expect(error?.description.contains("its hash is another") == true)
        #expect(!FileManager.default.fileExists(atPath: other.path))
        try await hub.pull(from: store)
        #expect(
            try hub.log().filter { $0.hasPrefix("store GET") } == [
                "store GET \(HubFixture.shards[0]) bytes=1000-", "store GET \(HubFixture.shards[1]) bytes=1000-",
                "store GET \(HubFixture.shards[1]) whole"
            ])
    }

    @Test func bothWeightsLieSideBySide() async throws {
        let hub = try HubFixture()
        let store = hub.store("open")
        try await hub.pull(from: store, weights: "q8")
        #expect(try store.resolve("hubby").lastPathComponent == "model-q8.gguf")
        #expect(throws: CatalogError.notPulled(name: "hubby --weights q4", store: store.root.path)) {
            try store.resolve("hubby", weights: "q4")
        }
        #expect(try store.resolve("hubby", weights: "f32").lastPathComponent == "model-q8.gguf")
        try await hub.pull(from: store, weights: "q4")
        #expect(store.installedWeights(of: hub.entry) == ["q4", "q8"])
        #expect(try store.resolve("hubby").lastPathComponent == "model-q4.gguf")
        #expect(try Data(contentsOf: store.resolve("hubby", weights: "q8")) == HubFixture.made("q8"))
    }

    @Test func aMadeFileThatChangedIsNotLoaded() async throws {
        let hub = try HubFixture()
        let store = hub.store("open")
        try await hub.pull(from: store)
        let file = try store.resolve("hubby")
        var bytes = try Data(contentsOf: file)
        try bytes.write(to: file)  // touched, but the same
        #expect(store.state(of: hub.entry) == .installed)
        bytes[3] ^= 1
        try bytes.write(to: file)
        #expect(store.state(of: hub.entry) == .damaged(["model-q4.gguf"]))
        #expect(throws: CatalogError.damaged(name: "hubby", store: store.root.path, files: ["model-q4.gguf"])) {
            try store.resolve("hubby")
        }
        try await hub.pull(from: store)
        #expect(try Data(contentsOf: store.resolve("hubby")) == HubFixture.made("q4"))
        try FileManager.default.removeItem(
            at: store.folder(of: hub.entry).appendingPathComponent(VerificationRecord.fileName))
        #expect(store.state(of: hub.entry) == .damaged(["model-q4.gguf"]), "a file nobody vouches for")
    }

    @Test func removingTakesAll() async throws {
        let hub = try HubFixture()
        let store = hub.store("open")
        try await hub.pull(from: store)
        try await store.remove("hubby")
        #expect(store.state(of: hub.entry) == .absent)
    }

    @Test(arguments: [
        "", "{}", "[1]", #"{"weight_map":{}}"#, #"{"weight_map":{"a":"/etc/passwd"}}"#,
        #"{"weight_map":{"a":".safetensors"}}"#, #"{"weight_map":{"a":"a b.safetensors"}}"#
    ])
    func anIndexThatNamesNoShardsIsRefused(text: String) {
        #expect(throws: Download.Failure.self) { try HubModel.shards(index: Data(text.utf8)) }
    }

    @Test(arguments: [
        ("\"\(String(repeating: "A", count: 64))\"", HubFile.Digest.sha256(String(repeating: "a", count: 64))),
        ("W/\"\(String(repeating: "0", count: 40))\"", .gitBlob(String(repeating: "0", count: 40))),
        (String(repeating: "g", count: 40), nil), ("\"12\"", nil), ("", nil)
    ])
    func entityTagsAreRead(tag: String, digest: HubFile.Digest?) {
        #expect(HubFile.Digest(tag: tag) == digest)
    }

    @Test func theTokenStaysOnOneServer() throws {
        let hub = try #require(URL(string: "https://hub.example/a"))
        for (other, same) in [
            ("https://hub.example/b?c", true), ("https://HUB.example/b", true), ("http://hub.example/b", false),
            ("https://hub.example:444/b", false), ("https://hub.example.org/b", false),
            ("https://a.hub.example/", false)
        ] {
            #expect(URL(string: other)?.hasOrigin(of: hub) == same, "\(other)")
        }
    }
}

/// A hub that serves a made-up model of two shards, and stores that pull it.
private final class HubFixture {
    static let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    static let files = ["config.json", HubModel.index]

    let entry = CatalogEntry(
        name: "hubby", licence: "its own",
        hub: HubModel(repository: "owner/hubby", files: files, bytes: 1_000, weights: ["q4", "q8"]))
    private let temporary = TemporaryStore()
    private let process = Process()
    private let input = Pipe()
    private let port: Int

    init(lacksShard: Bool = false) throws {
        let folder = temporary.root.appendingPathComponent("hub")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in Self.files + Self.shards.dropLast(lacksShard ? 1 : 0) {
            try Self.content(name).write(to: folder.appendingPathComponent(name))
        }
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", fixtures.appendingPathComponent("hub_fixture.py").path, folder.path]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    deinit { end() }

    func end() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    static func content(_ name: String) -> Data {
        if name == HubModel.index {
            return Data(#"{"weight_map":{"a":"\#(shards[0])","b":"\#(shards[1])","c":"\#(shards[0])"}}"#.utf8)
        }
        return webContent(name, size: name == "config.json" ? 100 : 200_000)
    }

    /// What `pull` makes of the shards.
    static func made(_ weights: String) -> Data { Data(weights.utf8) + shards.map(content).reduce(Data(), +) }

    func store(_ kind: String, token: String = "good") -> ModelStore {
        temporary.store(
            [entry], environment: ["HF_ENDPOINT": "http://127.0.0.1:\(port)/\(kind)", "HF_TOKEN": token])
    }

    func pull(from store: ModelStore, weights: String = "q4", told: Told = Told()) async throws {
        try await Self.pull(from: store, weights: weights, told: told)
    }

    static func pull(from store: ModelStore, weights: String = "q4", told: Told = Told()) async throws {
        try await store.pull("hubby", weights: weights, report: { told.add($0) }) { published, file in
            let parts = try shards.map { try Data(contentsOf: published.appendingPathComponent($0)) }
            try (Data(weights.utf8) + parts.reduce(Data(), +)).write(to: file)
        }
    }

    func log() throws -> [String] {
        String(decoding: try Data(contentsOf: URL(string: "http://127.0.0.1:\(port)/log")!), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }
}
