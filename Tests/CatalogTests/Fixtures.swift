import Crypto
import Foundation
import Synchronization

@testable import Catalog

let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

/// True where Python is, with or without pip.
func canRun(_ arguments: String...) -> Bool { (try? run(arguments)) == 0 }

@discardableResult
func run(_ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
}

/// The fixture server, ended with its last reference.
final class WebFixture {
    private let process = Process()
    private let input = Pipe()  // its end is the server's
    let port: Int

    init() throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", fixtures.appendingPathComponent("web_fixture.py").path]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    deinit { kill(process.processIdentifier, SIGKILL) }  // it may have inherited blocked signals

    func folder(_ kind: String, size: Int) -> URL { URL(string: "http://127.0.0.1:\(port)/\(kind)/\(size)")! }

    func log() throws -> [String] {
        String(decoding: try Data(contentsOf: URL(string: "http://127.0.0.1:\(port)/log")!), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }
}

/// What the server gives for a name.
func webContent(_ name: String, size: Int) -> Data {
    let digest = Data(SHA256.hash(data: Data(name.utf8)))
    return Data((0..<size).map { digest[$0 % 32] })
}

func sha256(_ data: Data) -> String { SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined() }

/// A file system over a folder, for as long as the last reference; whoever is not root may have none.
final class Mount {
    static let isPermitted = geteuid() == 0 && (try? Mount(tmpfsOf: 64 << 10, at: URL.temporaryFolder())) != nil

    let folder: URL

    /// A disk of so many bytes.
    init(tmpfsOf bytes: Int, at folder: URL) throws {
        self.folder = folder
        try Self.mount("-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", folder.path)
    }

    /// What is in the folder, to be read only.
    init(readOnly folder: URL) throws {
        self.folder = folder
        try Self.mount("--bind", folder.path, folder.path)
        try Self.mount("-o", "remount,ro,bind", folder.path)
    }

    func resize(to bytes: Int) throws { try Self.mount("-o", "remount,size=\(bytes)", folder.path) }

    deinit { _ = try? run(["umount", "--lazy", folder.path]) }

    private static func mount(_ arguments: String...) throws {
        guard try run(["mount"] + arguments) == 0 else { throw POSIXError(.EPERM) }
    }
}

extension URL {
    static func temporaryFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}

/// A store in a temporary folder, removed with its last reference.
final class TemporaryStore {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: root) }

    func store(_ entries: [CatalogEntry], environment: [String: String] = [:]) -> ModelStore {
        let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        return ModelStore(root: root.appendingPathComponent("models"), entries: entries, environment: all)
    }

    /// Pulls and returns what was told, progress left out.
    func pull(_ name: String, from store: ModelStore) async throws -> [PullEvent] {
        let told = Told()
        try await store.pull(name) { told.add($0) }
        return told.events.withLock { $0 }
    }
}

final class Told: Sendable {
    let events = Mutex<[PullEvent]>([])

    func add(_ event: PullEvent) {
        if case .progress = event { return }
        events.withLock { $0.append(event) }
    }
}

/// A model of one file that the server has.
func entry(_ name: String, file: String = "model.bin", size: Int, sources: [Source]) -> CatalogEntry {
    let sha = sha256(webContent(file, size: size))
    return CatalogEntry(
        name: name, licence: "MIT", files: [CatalogFile(file, bytes: size, sha256: sha)], sources: sources)
}
