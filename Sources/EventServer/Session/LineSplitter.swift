/// Cuts a stream of bytes into lines, in whatever pieces it comes, and never holds more than one line's worth.
struct LineSplitter {
    enum Piece: Equatable {
        /// Without its line feed.
        case line([UInt8])
        /// A line passed the limit; nothing that follows can be trusted.
        case tooLong
    }

    private let limit: Int
    private var pending: [UInt8] = []
    private var failed = false

    /// - Parameter limit: bytes of the longest line, its line feed not counted.
    init(limit: Int) { self.limit = limit }

    mutating func append(_ bytes: some Collection<UInt8>) -> [Piece] {
        var pieces: [Piece] = []
        var rest = bytes[...]
        while !failed, !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let part = rest[..<(end ?? rest.endIndex)]
            guard pending.count + part.count <= limit else {
                failed = true
                pending = []
                pieces.append(.tooLong)
                break
            }
            pending += part
            guard let end else { break }
            pieces.append(.line(pending))
            pending = []
            rest = rest[rest.index(after: end)...]
        }
        return pieces
    }

    /// The last line, if the stream ended without a line feed.
    mutating func finish() -> [Piece] {
        defer { pending = [] }
        return pending.isEmpty ? [] : [.line(pending)]
    }
}
