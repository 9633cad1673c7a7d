import Foundation
internal import Glibc
package import Kernels

/// Writes a GGUF file: first what it will hold, then the payloads in that order, in pieces of any size.
///
/// ```
/// metadata, tensors ─► header ─┐
/// append, append, ... ─────────┴─► PATH.part-PID ─► finish: fsync, rename ─► PATH
/// ```
/// Nothing but the header is held in memory. Until `finish` there is no file at the path, or the one of before; a writer
/// that goes without it removes what it has written. Payloads are 64-byte aligned in the file, so that kernels read them
/// where they are mapped.
package final class GGUFWriter {
    /// A tensor to come.
    package struct Plan: Sendable, Equatable {
        package let name: String
        /// Outermost axis first; at most four, which is what other readers take.
        package let shape: [Int]
        package let type: ElementType

        package init(name: String, shape: [Int], type: ElementType) {
            (self.name, self.shape, self.type) = (name, shape, type)
        }
    }

    package static let alignment = 64

    package let path: String
    /// Of the whole file.
    package let byteCount: Int
    private let payloads: [(name: String, range: Range<Int>)]  // in the file; without the empty ones
    private var next = 0  // of `payloads`
    private var position = 0  // in the file
    private let partPath: String
    private var descriptor: CInt
    private var isFinished = false

    /// Makes the part file and writes the header.
    /// - Parameters:
    ///   - metadata: in the order of the file, no key twice. `general.alignment` is the writer's own: one that is given, of
    ///     another file perhaps, is left out.
    ///   - tensors: in the order in which their payloads follow, no name twice.
    /// - Throws: `WeightsError.cannotWrite`.
    package init(path: String, metadata: [(key: String, value: GGUFValue)], tensors: [Plan]) throws(WeightsError) {
        let layout: GGUFLayout
        do {
            layout = try GGUFLayout(metadata: metadata, tensors: tensors)
        } catch {
            throw .cannotWrite(path: path, reason: error.reason)
        }
        self.path = path
        (payloads, byteCount) = (layout.payloads, layout.byteCount)
        partPath = "\(path).part-\(getpid())"
        descriptor = open(partPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(systemReason()) }
        try checkSpace()
        try layout.header.span.bytes.withUnsafeBytes { bytes throws(WeightsError) in try write(bytes) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !isFinished { unlink(partPath) }
    }

    /// The tensor whose bytes follow; nil when all are there. One without elements is never due.
    package var due: String? { next < payloads.count ? payloads[next].name : nil }

    /// Adds to the tensor that is due, which must be the one that is named; with its last byte the next one is due.
    /// - Throws: `WeightsError.cannotWrite`.
    package func append(_ bytes: RawSpan, to name: String) throws(WeightsError) {
        try bytes.withUnsafeBytes { bytes throws(WeightsError) in try append(bytes, to: name) }
    }

    /// As above.
    package func append(_ region: ByteRegion, to name: String) throws(WeightsError) {
        let result = region.withBytes { bytes in
            Result { () throws(WeightsError) in try append(bytes, to: name) }
        }
        try result.get()
    }

    private func append(_ bytes: UnsafeRawBufferPointer, to name: String) throws(WeightsError) {
        precondition(!isFinished && due == name, "bytes of '\(name)' where '\(due ?? "nothing")' is due")
        let range = payloads[next].range
        if position < range.lowerBound { try pad(to: range.lowerBound) }
        precondition(bytes.count <= range.upperBound - position, "\(bytes.count) bytes more of '\(name)'")
        try write(bytes)
        if position == range.upperBound { next += 1 }
    }

    /// Makes the file appear at its path, on the disk and complete.
    /// - Throws: `WeightsError.cannotWrite`.
    package func finish() throws(WeightsError) {
        precondition(!isFinished && due == nil, "finished while '\(due ?? "nothing")' is due")
        try pad(to: byteCount)
        let closing = fsync(descriptor) == 0 ? nil : systemReason()
        let open = descriptor
        descriptor = -1
        guard close(open) == 0, closing == nil else { throw failure(closing ?? systemReason()) }
        guard rename(partPath, path) == 0 else { throw failure(systemReason()) }
        isFinished = true
        // The name is on the disk only when the folder is; where a folder cannot be synced, nothing is lost but time.
        let folder = Glibc.open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// Says it now, not after an hour of work.
    private func checkSpace() throws(WeightsError) {
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0 else { return }
        let (free, overflow) = Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
        guard overflow || free >= byteCount else {
            throw failure("it takes \(byteCount / 1_000_000) MB and \(free / 1_000_000) MB are free")
        }
    }

    private func pad(to end: Int) throws(WeightsError) {
        let zeros = [UInt8](repeating: 0, count: end - position)  // less than an alignment
        try zeros.span.bytes.withUnsafeBytes { bytes throws(WeightsError) in try write(bytes) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(WeightsError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))  // the system takes no more than 2 GB
            let written = Glibc.write(descriptor, piece.baseAddress, piece.count)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw failure(systemReason()) }
            rest = rest.dropFirst(written)
            position += written
        }
    }

    private func failure(_ reason: String) -> WeightsError { .cannotWrite(path: path, reason: reason) }
}
