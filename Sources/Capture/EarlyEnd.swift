import Glibc
package import Media

/// A sound file that is shorter than its header says: a recorder was killed, a download broke off.
package struct EarlyEnd: Equatable, Sendable, CustomStringConvertible {
    package let path: String
    package let length: MediaTime
    package let promised: MediaTime

    package var description: String {
        "'\(path)' ends early: \(tenths(length)) s of \(tenths(promised)) s are there. "
            + "Fetch or record it again if the rest matters."
    }

    private func tenths(_ time: MediaTime) -> Double { (time.seconds * 10).rounded() / 10 }
}

/// What the `data` chunk of a WAV file claims against what the file holds of it. libsndfile corrects the claim and keeps
/// quiet about it.
struct WAVPromise {
    /// As the chunk's header says.
    let bytes: Int
    /// From the chunk's header to the end of the file.
    let bytesThere: Int

    /// Programs that cannot go back to the header write a placeholder: ffmpeg all ones, arecord 2 GiB, sox a little less.
    private static let leastPlaceholder = 0x7FFF_F000
    /// A file may have many small chunks before its sound, but not any number.
    private static let chunkLimit = 100_000

    /// nil for another kind of file, and where the length is left open. Leaves the descriptor's position.
    init?(descriptor: CInt) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, let form = Self.read(descriptor, at: 0, count: 12),
            form.starts(with: "RIFF".utf8), form[8...].elementsEqual("WAVE".utf8)
        else { return nil }
        var offset = 12
        for _ in 0..<Self.chunkLimit {
            guard let header = Self.read(descriptor, at: offset, count: 8) else { return nil }
            let size = header[4...].reversed().reduce(0) { $0 << 8 | Int($1) }
            offset += 8
            if header.starts(with: "data".utf8) {
                guard size > 0, size < Self.leastPlaceholder else { return nil }
                (bytes, bytesThere) = (size, max(0, Int(status.st_size) - offset))
                return
            }
            offset += size + size & 1
        }
        return nil
    }

    private static func read(_ descriptor: CInt, at offset: Int, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return retrying { pread(descriptor, &bytes, count, off_t(offset)) } == count ? bytes : nil
    }
}
