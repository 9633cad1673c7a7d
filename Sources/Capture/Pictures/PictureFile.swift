import Glibc

/// A file of one JPEG or many that is open for reading, in pieces: memory follows one picture, not the file.
struct PictureFile: ~Copyable {
    private static let pieceBytes = 256 << 10

    let path: String
    var statistics: SplitStatistics { splitter.statistics }
    private let descriptor: CInt
    private var splitter: MultipartSplitter
    /// Split and not yet taken, the next one last.
    private var ready: [SplitPicture] = []
    private var hasEnded = false

    /// - Throws: `fileMissing`, `notPermitted`, or `badPictures` for what is no regular file or empty.
    init(path: String, maximumPictureBytes: Int) throws(CaptureError) {
        descriptor = try openRegularFile(path) { .badPictures(path: path, reason: $0) }
        splitter = MultipartSplitter(maximumBytes: maximumPictureBytes)
        self.path = path
    }

    deinit { close(descriptor) }

    /// Whether the file begins with a picture. Moves nothing.
    func startsAsJPEG() -> Bool {
        var first: [UInt8] = [0, 0, 0]
        return retrying { pread(descriptor, &first, first.count, 0) } == 3 && first == [0xFF, 0xD8, 0xFF]
    }

    /// The next whole picture; nil at the end.
    /// - Throws: `badPictures` if reading fails.
    mutating func next() throws(CaptureError) -> SplitPicture? {
        while ready.isEmpty && !hasEnded {
            let piece = try readPiece(descriptor, path: path, maximumBytes: Self.pieceBytes)
            hasEnded = piece.isEmpty
            ready = (hasEnded ? splitter.finish() : splitter.step(piece)).reversed()
        }
        return ready.popLast()
    }
}

/// Pictures given as files to a command.
package enum PhotoFile {
    /// More than any photograph has.
    package static let maximumBytes = 256 << 20

    /// All bytes of a regular file, whatever they are.
    /// - Throws: `fileMissing`, `notPermitted`, or `badPictures` for what is no regular file, empty or too large.
    package static func read(
        _ path: String, maximumBytes: Int = PhotoFile.maximumBytes
    ) throws(CaptureError) -> [UInt8] {
        let descriptor = try openRegularFile(path) { .badPictures(path: path, reason: $0) }
        defer { close(descriptor) }
        let tooLarge = CaptureError.badPictures(path: path, reason: "it has more than \(maximumBytes >> 20) MiB")
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_size > maximumBytes { throw tooLarge }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size))
        while true {
            let piece = try readPiece(descriptor, path: path, maximumBytes: 1 << 20)
            if piece.isEmpty { return bytes }
            bytes += piece
            if bytes.count > maximumBytes { throw tooLarge }  // it grew
        }
    }
}

/// Empty at the end of the file.
private func readPiece(_ descriptor: CInt, path: String, maximumBytes: Int) throws(CaptureError) -> [UInt8] {
    var received = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: maximumBytes) { buffer, count in
        received = retrying { read(descriptor, buffer.baseAddress, buffer.count) }
        count = max(0, received)
    }
    if received < 0 { throw .badPictures(path: path, reason: errorText(CInt(-received)).lowercased()) }
    return bytes
}
