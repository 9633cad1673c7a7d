import Foundation
internal import Glibc
import Kernels

/// A plain file, mapped into memory for as long as anything made of it lives.
struct MappedFile: Sendable {
    let path: String
    /// The same bytes twice: for readers, and for kernels that work where they lie.
    let data: Data
    let region: ByteRegion

    /// - Throws: `WeightsError.notFound`, `.unreadable`, `.damaged` when it is empty.
    init(_ path: String) throws(WeightsError) {
        // Without blocking: a pipe that nobody writes to would never open.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno != ENOENT else { throw .notFound(path: path) }
            throw .unreadable(path: path, reason: systemReason())
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemReason()) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(path: path, reason: "it is not a plain file")
        }
        guard status.st_size > 0 else { throw .damaged(path: path, offset: 0, what: "it is empty") }
        guard let bytes = mmap(nil, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0), bytes != MAP_FAILED else {
            throw .unreadable(path: path, reason: systemReason())
        }
        let mapping = Mapping(
            UnsafeRawBufferPointer(start: bytes, count: status.st_size), of: path, stamp: MappedFiles.Stamp(status))
        self.init(path: path, region: ByteRegion(mapped: mapping.bytes, owner: mapping))
    }

    /// Bytes that are in memory already.
    init(path: String, region: ByteRegion) {
        self.path = path
        self.region = region
        data = region.withBytes { bytes in
            Data(
                bytesNoCopy: UnsafeMutableRawPointer(mutating: bytes.baseAddress!), count: bytes.count,
                deallocator: .custom { _, _ in withExtendedLifetime(region) {} })
        }
    }
}

/// Unmaps when nobody holds it any more.
private final class Mapping {
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer, of path: String, stamp: MappedFiles.Stamp) {
        self.bytes = bytes
        MappedFiles.add(UInt(bitPattern: bytes.baseAddress), path, stamp)
    }

    deinit {
        MappedFiles.remove(UInt(bitPattern: bytes.baseAddress))
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress!), bytes.count)
    }
}

/// What the system says of its last refusal.
func systemReason() -> String { String(cString: strerror(errno)) }
