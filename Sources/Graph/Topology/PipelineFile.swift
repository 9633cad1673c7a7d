import Glibc

/// Reads the bytes of a pipeline file, never more than one could have.
enum PipelineFile {
    static func read(_ file: String) throws(TopologyError) -> String {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw errno == ENOENT ? .missing(file: file) : unreadable(file)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count <= DocumentParser.maximumBytes {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(file) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        guard bytes.count > DocumentParser.maximumBytes || String(validating: bytes, as: UTF8.self) != nil else {
            throw .unreadable(file: file, reason: "it is not UTF-8 text")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func unreadable(_ file: String) -> TopologyError {
        .unreadable(file: file, reason: String(cString: strerror(errno)))
    }

    /// `path` relative to the folder of the pipeline file `file`; `~` is the home folder.
    static func resolve(_ path: String, besides file: String) -> String {
        if path.hasPrefix("/") { return path }
        if path.hasPrefix("~/"), let home = getenv("HOME") { return String(cString: home) + path.dropFirst() }
        guard let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}
