import Foundation
import Testing

@testable import Catalog

@Suite(.enabled(if: canRun("python3", "-c", ""), "waits for python3, which serves the files"))
struct PullTests {
    static let size = 300_000

    @Test func aModelAppearsWholeAndVerified() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = entry("small", size: Self.size, sources: [.web(web.folder("good", size: Self.size))])
        let store = temporary.store([small])
        #expect(store.state(of: small) == .absent)
        let told = try await temporary.pull("small", from: store)
        #expect(told.last == .installed(small, path: store.folder(of: small).path))
        #expect(store.state(of: small) == .installed)
        let model = try store.resolve("small").appendingPathComponent("model.bin")
        #expect(try Data(contentsOf: model) == webContent("model.bin", size: Self.size))
        #expect(!FileManager.default.fileExists(atPath: store.stagingFolder(of: small).path))
    }

    @Test func aSecondPullFetchesNothing() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = entry("small", size: Self.size, sources: [.web(web.folder("good", size: Self.size))])
        let store = temporary.store([small])
        _ = try await temporary.pull("small", from: store)
        let told = try await temporary.pull("small", from: store)
        #expect(told == [.alreadyInstalled(small, path: store.folder(of: small).path)])
        #expect(try web.log() == ["good/model.bin whole"])
    }

    @Test func aCutConnectionGoesOnWhereItEnded() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = entry("small", size: Self.size, sources: [.web(web.folder("cut", size: Self.size))])
        let store = temporary.store([small])
        _ = try await temporary.pull("small", from: store)
        #expect(store.state(of: small) == .installed)
        #expect(try web.log() == ["cut/model.bin whole", "cut/model.bin bytes=\(Self.size / 2)-"])
    }

    @Test func whatAnEarlierPullLeftIsNotFetchedAgain() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = entry("small", size: Self.size, sources: [.web(web.folder("good", size: Self.size))])
        let store = temporary.store([small])
        let staging = store.stagingFolder(of: small)
        try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
        let whole = webContent("model.bin", size: Self.size)
        try whole.prefix(123_457).write(to: staging.appendingPathComponent("model.bin.part"))
        _ = try await temporary.pull("small", from: store)
        #expect(try web.log() == ["good/model.bin bytes=123457-"])
        #expect(store.state(of: small) == .installed)
    }

    @Test func aServerWithoutRangesSendsAllAnew() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = entry("small", size: Self.size, sources: [.web(web.folder("plain", size: Self.size))])
        let store = temporary.store([small])
        let staging = store.stagingFolder(of: small)
        try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
        try Data(repeating: 9, count: 1_000).write(to: staging.appendingPathComponent("model.bin.part"))
        _ = try await temporary.pull("small", from: store)
        #expect(store.state(of: small) == .installed)
    }

    @Test(arguments: ["wrong", "long", "short", "gone"])
    func aBadSourceIsPassedOver(kind: String) async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let sources = [kind, "good"].map { Source.web(web.folder($0, size: Self.size)) }
        let small = entry("small", size: Self.size, sources: sources)
        let store = temporary.store([small])
        let told = try await temporary.pull("small", from: store)
        #expect(told.contains { if case .sourceFailed = $0 { true } else { false } })
        #expect(store.state(of: small) == .installed)
    }

    @Test func wrongBytesAreNeverInstalled() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let sources = ["wrong", "gone"].map { Source.web(web.folder($0, size: Self.size)) }
        let small = entry("small", size: Self.size, sources: sources)
        let store = temporary.store([small])
        let error = await #expect(throws: CatalogError.self) { try await temporary.pull("small", from: store) }
        guard case .pullFailed("small", let attempts) = error else { return #expect(Bool(false), "\(error!)") }
        #expect(attempts.count == 2)
        #expect(attempts[0].reason.hasPrefix("model.bin is not the file we know"))
        #expect(attempts[1].reason == "the server answered with status 404")
        #expect(store.state(of: small) == .absent)
    }

    @Test func aSilentServerDoesNotHoldUs() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        try FileManager.default.createDirectory(at: temporary.root, withIntermediateDirectories: true)
        let download = Download(
            url: web.folder("silent", size: 10).appendingPathComponent("model.bin"),
            part: temporary.root.appendingPathComponent("model.bin.part"), bytes: 10,
            patience: Download.Patience(connect: .milliseconds(200)))
        let failure = await #expect(throws: Download.Failure.self) { try await download.run { _ in } }
        #expect(failure?.reason == "no answer within 0.2 seconds")
    }

    @Test func companionsComeFirst() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let source = Source.web(web.folder("good", size: 100))
        let helper = entry("helper", size: 100, sources: [source])
        let main = CatalogEntry(
            name: "main", licence: "MIT", files: helper.files, sources: [source], companions: ["helper"])
        let store = temporary.store([main, helper])
        _ = try await temporary.pull("main", from: store)
        #expect(store.state(of: helper) == .installed && store.state(of: main) == .installed)
    }

    @Test func twoPullsAtOnceFetchOnce() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = entry("small", size: Self.size, sources: [.web(web.folder("good", size: Self.size))])
        let store = temporary.store([small])
        async let first: Void = store.pull("small") { _ in }
        async let second: Void = store.pull("small") { _ in }
        _ = try await (first, second)
        #expect(try web.log().count == 1)
    }

    @Test func aDamagedModelIsRepairedWithWhatIsGoodInIt() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let names = ["a.bin", "b.bin"]
        let files = names.map { CatalogFile($0, bytes: 100, sha256: sha256(webContent($0, size: 100))) }
        let pair = CatalogEntry(
            name: "pair", licence: "MIT", files: files, sources: [.web(web.folder("good", size: 100))])
        let store = temporary.store([pair])
        _ = try await temporary.pull("pair", from: store)
        try Data(repeating: 0, count: 100).write(to: store.folder(of: pair).appendingPathComponent("b.bin"))
        #expect(store.state(of: pair) == .damaged(["b.bin"]))
        #expect(throws: CatalogError.damaged(name: "pair", store: store.root.path, files: ["b.bin"])) {
            try store.resolve("pair")
        }
        _ = try await temporary.pull("pair", from: store)
        #expect(store.state(of: pair) == .installed)
        #expect(try web.log() == ["good/a.bin whole", "good/b.bin whole", "good/b.bin whole"])
    }
}
