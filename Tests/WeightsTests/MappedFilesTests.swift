import Foundation
import TestSupport
import Testing

@testable import Weights

/// What other hands do to a file that is mapped.
struct MappedFilesTests {
    private static func file(_ folder: URL) throws -> String {
        let path = folder.appendingPathComponent("model.gguf").path
        try Data(repeating: 7, count: 100_000).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mapped-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    @Test func aFileThatIsWrittenToIsToldUntilItIsLetGo() throws {
        try withFolder { folder in
            let path = try Self.file(folder)
            var mapped: MappedFile? = try MappedFile(path)
            #expect(!MappedFiles.rewritten.contains(path))
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.write(contentsOf: Data([1]))  // as long as before
            try handle.close()
            #expect(MappedFiles.rewritten.contains(path))
            mapped = nil
            #expect(mapped == nil && !MappedFiles.rewritten.contains(path))
        }
    }

    @Test func aFileThatGetsShorterIsTold() throws {
        try withFolder { folder in
            let path = try Self.file(folder)
            let mapped = try MappedFile(path)
            truncate(path, 10)
            #expect(MappedFiles.rewritten.contains(path))
            withExtendedLifetime(mapped) {}
        }
    }

    @Test func aFileThatIsMovedThereOrRemovedDisturbsNobody() throws {
        try withFolder { folder in
            let path = try Self.file(folder)
            let mapped = try MappedFile(path)
            try Data(repeating: 8, count: 10).write(to: URL(fileURLWithPath: path), options: .atomic)
            #expect(!MappedFiles.rewritten.contains(path))
            try FileManager.default.removeItem(atPath: path)
            #expect(!MappedFiles.rewritten.contains(path))
            #expect(mapped.data.allSatisfy { $0 == 7 } && mapped.data.count == 100_000)
        }
    }

    @Test func aPageThatIsGoneEndsTheProcessWithAWord() async throws {
        let result = await #expect(processExitsWith: .exitCode(65), observing: [\.standardErrorContent]) {
            let folder = FileManager.default.temporaryDirectory
            let path = try MappedFilesTests.file(folder)
            let mapped = try MappedFile(path)
            MappedFiles.endProcessOnLostPage(status: 65)
            truncate(path, 10)
            unlink(path)
            print(mapped.data.reduce(0) { $0 &+ Int($1) })
        }
        let words = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(words.contains("/model.gguf") && words.contains("cut short"), "\(words)")
    }
}
