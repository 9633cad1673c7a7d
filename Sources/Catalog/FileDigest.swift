import Crypto
import Foundation

enum FileDigest {
    /// SHA-256 of a file in lower-case hexadecimal, or nil if it cannot be read.
    static func sha256(of file: URL) -> String? {
        digest(of: file, SHA256())
    }

    /// The SHA-1 by which git knows a file, that of a header and its bytes; nil if it cannot be read. It tells files apart
    /// as the hub does; nobody is kept out by it.
    static func gitBlob(of file: URL) -> String? {
        var hash = Insecure.SHA1()
        hash.update(data: Data("blob \(FileStamp(file)?.bytes ?? 0)\0".utf8))
        return digest(of: file, hash)
    }

    private static func digest(of file: URL, _ empty: some HashFunction) -> String? {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
        defer { try? handle.close() }
        var hash = empty
        do {
            while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty { hash.update(data: chunk) }
        } catch {
            return nil
        }
        return hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// What tells, without reading it, that a file is the one whose hash was checked.
struct FileStamp: Codable, Equatable {
    let bytes: Int
    let modifiedNanoseconds: Int

    /// Nil if there is no such file.
    init?(_ file: URL) {
        var status = stat()
        guard stat(file.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        bytes = Int(status.st_size)
        modifiedNanoseconds = Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec)
    }
}

/// The record of checked files beside them: hash and stamp by name. With it a model of 75 MB loads without being
/// hashed first; a file that was touched since is hashed again.
struct VerificationRecord: Codable {
    struct Item: Codable {
        let sha256: String
        let stamp: FileStamp
    }

    static let fileName = ".verified.json"

    var items: [String: Item] = [:]

    init() {}

    /// Empty if there is none that can be read.
    init(folder: URL) {
        let data = try? Data(contentsOf: folder.appendingPathComponent(Self.fileName))
        if let data, let record = try? JSONDecoder().decode(Self.self, from: data) { self = record }
    }

    /// True if the file is what the catalogue says, by its stamp or else by its hash, which is then recorded.
    mutating func verify(_ file: CatalogFile, in folder: URL) -> Bool {
        let url = folder.appendingPathComponent(file.name)
        guard let stamp = FileStamp(url), stamp.bytes == file.bytes else { return false }
        if let item = items[file.name], item.stamp == stamp, item.sha256 == file.sha256 { return true }
        guard FileDigest.sha256(of: url) == file.sha256 else { return false }
        items[file.name] = Item(sha256: file.sha256, stamp: stamp)
        return true
    }

    /// True if the file is the one that was recorded when it was made.
    mutating func verifyRecorded(_ name: String, in folder: URL) -> Bool {
        guard let item = items[name] else { return false }
        return verify(CatalogFile(name, bytes: item.stamp.bytes, sha256: item.sha256), in: folder)
    }

    /// Records a file as it is now.
    mutating func add(_ file: URL) throws {
        guard let stamp = FileStamp(file), let sha256 = FileDigest.sha256(of: file) else {
            throw CocoaError(.fileReadUnknown)
        }
        items[file.lastPathComponent] = Item(sha256: sha256, stamp: stamp)
    }

    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        try encoder.encode(self).write(to: folder.appendingPathComponent(Self.fileName), options: .atomic)
    }
}
