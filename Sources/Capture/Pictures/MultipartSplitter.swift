/// Cuts a stream file into pictures: the body of a `multipart/x-mixed-replace` answer, as network cameras send it, or
/// JPEGs as they are.
///
/// The first line tells which: `--` and a name is the boundary between parts (RFC 2046 §5.1.1). Part headers are passed
/// over unread. A `Content-Length` is a claim that may be wrong or missing, while a boundary ends a part for certain,
/// so only boundaries are believed.
/// ```
/// opening ─first line─► headers ─blank line─► body ─boundary─► headers …
///    └── no boundary ───────────────────────► body (to the end)
/// ```
package struct MultipartSplitter: Sendable {
    private enum State {
        case opening
        /// In a part's headers, of which so many bytes were passed.
        case headers(Int)
        case body
        /// Behind the closing boundary.
        case epilogue
    }

    /// A line between two parts; `isClosing` behind the last.
    private struct Boundary {
        var range: Range<Int>
        var isClosing: Bool
    }

    /// What follows the name of a boundary.
    private enum LineEnd {
        case at(Int)
        case closing(Int)
        case otherBytes
        case notHere
    }

    /// RFC 2046 allows 70 characters; some senders take more.
    private static let maximumBoundaryBytes = 256
    /// A part with more has none: what looked like headers is its body.
    private static let maximumHeaderBytes = 8_192

    package var statistics: SplitStatistics {
        var sum = finished
        sum += parts.statistics
        return sum
    }

    private var parts: MJPEGSplitter
    /// Of the parts before this one.
    private var finished = SplitStatistics()
    private var held: [UInt8] = []
    private var state = State.opening
    /// The line between parts with its dashes; nil: JPEGs as they are.
    private var boundary: [UInt8]?
    private var partBytes = 0

    package init(maximumBytes: Int = MJPEGSplitter.maximumPictureBytes) {
        parts = MJPEGSplitter(maximumBytes: maximumBytes)
    }

    /// Takes the next bytes of the stream, cut anywhere.
    package mutating func step(_ bytes: some Collection<UInt8>) -> [SplitPicture] {
        if case .body = state, boundary == nil { return parts.step(bytes) }
        held.append(contentsOf: bytes)
        return scan(isLast: false)
    }

    /// The stream has ended; then only `reset` is legal. The last picture of a stream without boundaries is treated as
    /// `MJPEGSplitter` does; one that a part cuts is dropped.
    package mutating func finish() -> [SplitPicture] {
        let pictures = scan(isLast: true)
        return pictures + (boundary == nil ? parts.finish() : endPart())
    }

    package mutating func reset() {
        self = MultipartSplitter(parts: parts)
    }

    private init(parts: MJPEGSplitter) {
        self.parts = parts
        self.parts.reset()
    }

    private mutating func scan(isLast: Bool) -> [SplitPicture] {
        var pictures: [SplitPicture] = []
        var cursor = 0
        scanning: while true {
            switch state {
            case .opening:
                guard let end = open(isLast: isLast) else { break scanning }
                cursor = end
            case .headers(let passed):
                guard let end = passHeader(at: cursor, passed: passed, isLast: isLast) else { break scanning }
                cursor = end
            case .body, .epilogue:
                let (end, next) = findBoundary(from: cursor, isLast: isLast)
                if case .body = state {
                    partBytes += end - cursor
                    pictures += parts.step(held[cursor..<end])
                    if next != nil { pictures += endPart() }
                }
                cursor = end
                guard let next else { break scanning }
                cursor = next.range.upperBound
                state = next.isClosing ? .epilogue : .headers(0)
            }
        }
        held.removeFirst(cursor)
        return pictures
    }

    /// Reads the first line. Nil: it is not here yet.
    private mutating func open(isLast: Bool) -> Int? {
        let isBlank = { (byte: UInt8) in byte == .carriageReturn || byte == .lineFeed }
        let first = held.firstIndex { !isBlank($0) } ?? held.count
        let line = held[first...].prefix(Self.maximumBoundaryBytes)
        let end = line.firstIndex(of: .lineFeed)
        let couldBe = first < Self.maximumBoundaryBytes && line.prefix(2).allSatisfy { $0 == .dash }
        guard end != nil || isLast || !couldBe || line.count == Self.maximumBoundaryBytes else { return nil }

        var name = held[first..<(end ?? first)]
        while let last = name.last, last <= .blank { name.removeLast() }
        guard couldBe, let end, name.count > 2, name.allSatisfy({ (UInt8.blank...0x7E).contains($0) }) else {
            state = .body
            return 0
        }
        boundary = Array(name)
        state = .headers(0)
        return end + 1
    }

    /// Passes one header line, or the blank one behind the last. Nil: the line is not here yet.
    private mutating func passHeader(at start: Int, passed: Int, isLast: Bool) -> Int? {
        guard start < held.count else { return nil }
        let line = held[start...].prefix(Self.maximumHeaderBytes - passed)
        // Headers are plain text; a body may follow its boundary without a blank line.
        let isText = line.prefix(1).allSatisfy { $0 < 0x7F }
        let isNext = boundary.map { line.starts(with: $0) } ?? false
        guard isText, !isNext else {
            state = .body
            return start
        }
        guard let end = line.firstIndex(of: .lineFeed) else {
            guard isLast || line.count == Self.maximumHeaderBytes - passed else { return nil }
            state = .body
            return start
        }
        let isBlank = line[..<end].allSatisfy { $0 == .carriageReturn }
        state = isBlank ? .body : .headers(passed + end + 1 - start)
        return end + 1
    }

    /// The bytes up to `end` hold no boundary; behind them stands `next`, or what may become one.
    private func findBoundary(from start: Int, isLast: Bool) -> (end: Int, next: Boundary?) {
        guard let boundary else { return (held.count, nil) }
        var start = start
        while let index = held[start...].firstIndex(of: .dash) {
            let rest = held[index...].prefix(boundary.count)
            if boundary.starts(with: rest) {
                switch rest.count < boundary.count ? .notHere : lineEnd(at: index + boundary.count) {
                case .at(let end): return (index, Boundary(range: index..<end, isClosing: false))
                case .closing(let end): return (index, Boundary(range: index..<end, isClosing: true))
                case .notHere where !isLast: return (index, nil)
                case .notHere, .otherBytes: break
                }
            }
            start = index + 1
        }
        return (held.count, nil)
    }

    private func lineEnd(at index: Int) -> LineEnd {
        let tail = held[index...].prefix(16)
        if tail.starts(with: [.dash, .dash]) { return .closing(index + 2) }
        if tail.elementsEqual([.dash]) { return .notHere }
        var rest = tail.drop { $0 == .blank }
        if rest.first == .carriageReturn { rest.removeFirst() }
        guard let next = rest.first else { return tail.count < 16 ? .notHere : .otherBytes }
        return next == .lineFeed ? .at(rest.startIndex + 1) : .otherBytes
    }

    /// A part that holds no picture counts as a damaged one; an empty part as nothing.
    private mutating func endPart() -> [SplitPicture] {
        let pictures = parts.finish(keepsCut: false)
        let isBare = parts.statistics == SplitStatistics() && partBytes > 2  // a line's end
        finished += parts.statistics
        finished.damaged += isBare ? 1 : 0
        parts.reset()
        partBytes = 0
        return pictures
    }
}

extension UInt8 {
    fileprivate static let lineFeed = UInt8(ascii: "\n")
    fileprivate static let carriageReturn = UInt8(ascii: "\r")
    fileprivate static let blank = UInt8(ascii: " ")
    fileprivate static let dash = UInt8(ascii: "-")
}
