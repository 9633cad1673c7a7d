package import Media

/// A JPEG as it was cut out of a stream.
package struct SplitPicture: Equatable, Sendable {
    /// From its start marker to its end marker.
    package let bytes: [UInt8]
    /// As the frame header claims; zero where the header leaves it open.
    package let size: PixelSize
}

/// What a splitter found so far.
package struct SplitStatistics: Equatable, Sendable {
    /// Handed out.
    package var pictures = 0
    /// Begun, and cut short or broken before the end: dropped.
    package var damaged = 0
    /// Longer than the limit: dropped.
    package var oversized = 0

    package static func += (a: inout SplitStatistics, b: SplitStatistics) {
        a.pictures += b.pictures
        a.damaged += b.damaged
        a.oversized += b.oversized
    }
}

/// Cuts a stream of JPEGs into pictures, whatever lies between them.
///
/// It walks the header of each picture segment by segment (ITU-T T.81 Annex B), so a thumbnail inside a segment does
/// not split it, and then looks for the end marker in the image data, where a byte FF is followed by 00, by a restart
/// marker, or by a true marker. A start marker there means that the picture before was cut.
/// ```
/// searching ─FF D8 FF─► header ─SOS─► image data ─FF D9─► picture
///     ▲                   │               │
///     └── no marker where one must stand ─┴─ FF D8 FF: cut short
/// ```
/// Memory follows the bytes of one picture, up to `maximumBytes`, and never a number that a header claims.
package struct MJPEGSplitter: Sendable {
    /// A 100-megapixel photograph has less; more is no picture.
    package static let maximumPictureBytes = 32 << 20

    private enum State {
        case searching
        /// `cursor` is where a marker must stand.
        case header
        /// `cursor` is in entropy-coded data.
        case imageData
    }

    /// How often the same bytes are looked through for another start once a header has turned out broken.
    private static let maximumRestarts = 16

    package private(set) var statistics = SplitStatistics()
    private let maximumBytes: Int
    private var held: [UInt8] = []
    private var state = State.searching
    /// Where the picture begins in `held`; the same as `cursor` while searching.
    private var start = 0
    private var cursor = 0
    private var size = PixelSize(width: 0, height: 0)
    private var hasFrameHeader = false
    /// Up to where in `held` broken headers were followed, and how often the search began again before it.
    private var furthest = 0
    private var restarts = 0

    package init(maximumBytes: Int = maximumPictureBytes) { self.maximumBytes = maximumBytes }

    /// Takes the next bytes of the stream, cut anywhere.
    package mutating func step(_ bytes: some Collection<UInt8>) -> [SplitPicture] {
        held.append(contentsOf: bytes)
        let pictures = scan(isLast: false)
        forget(before: start)
        return pictures
    }

    /// The stream has ended; then only `reset` is legal.
    ///
    /// A picture without its end is handed out if it is the only one: half a photograph is better than none, but half a
    /// frame of a stream would look like a change of scene.
    package mutating func finish() -> [SplitPicture] { finish(keepsCut: statistics.pictures == 0) }

    mutating func finish(keepsCut: Bool) -> [SplitPicture] {
        var pictures = scan(isLast: true)
        if state == .imageData {
            if held.count - start > maximumBytes {
                statistics.oversized += 1
            } else if keepsCut && pictures.isEmpty {
                pictures.append(take(upTo: held.count))
            } else {
                statistics.damaged += 1
            }
        }
        clear()
        return pictures
    }

    package mutating func reset() {
        clear()
        statistics = SplitStatistics()
    }

    private mutating func clear() {
        held.removeAll(keepingCapacity: held.capacity <= 1 << 20)
        search(from: 0)
        (furthest, restarts) = (0, 0)
    }

    private mutating func forget(before index: Int) {
        guard index > 0 else { return }
        held.removeFirst(index)
        start -= index
        cursor -= index
        furthest = max(0, furthest - index)
    }

    /// Everything that the held bytes give. Decisions depend on bytes alone, never on how many are held: pieces equal
    /// the whole.
    private mutating func scan(isLast: Bool) -> [SplitPicture] {
        var pictures: [SplitPicture] = []
        while true {
            switch state {
            case .searching:
                guard findStart() else { return pictures }
            case .header:
                if walkHeader() { continue }
                guard isLast else { return pictures }
                giveUpHeader(at: held.count)  // a false length may have reached over whole pictures
            case .imageData:
                guard let end = findEnd(isLast: isLast) else { return pictures }
                if end > start { pictures.append(take(upTo: end)) }
            }
        }
    }

    private mutating func search(from index: Int) {
        state = .searching
        start = index
        cursor = index
    }

    private mutating func take(upTo end: Int) -> SplitPicture {
        let picture = SplitPicture(bytes: Array(held[start..<end]), size: size)
        statistics.pictures += 1
        search(from: end)
        return picture
    }

    /// False: the held bytes have no start marker, or not yet the whole of one.
    private mutating func findStart() -> Bool {
        var index = cursor
        // A marker follows the start marker at once; two bytes alone are too easily found in garbage.
        while index + 2 < held.count {
            if held[index] == 0xFF && held[index + 1] == Marker.start && held[index + 2] == 0xFF {
                return begin(at: index)
            }
            index += 1
        }
        search(from: index)
        return false
    }

    private mutating func begin(at index: Int) -> Bool {
        restarts = index < furthest ? restarts + 1 : 0
        if restarts > Self.maximumRestarts {
            search(from: furthest)
            return true
        }
        start = index
        cursor = index + 2
        state = .header
        size = PixelSize(width: 0, height: 0)
        hasFrameHeader = false
        return true
    }

    /// One marker of the header, and its segment. False: not all of it is here.
    private mutating func walkHeader() -> Bool {
        guard cursor < held.count else { return false }
        if cursor - start > maximumBytes { return dropOversized() }
        guard held[cursor] == 0xFF, !isBehindStart(cursor) else { return giveUpHeader(at: cursor) }
        while cursor + 1 < held.count, held[cursor + 1] == 0xFF { cursor += 1 }  // fill bytes
        guard cursor + 1 < held.count else { return false }

        let code = held[cursor + 1]
        switch code {
        case _ where Marker.standsAlone(code): cursor += 2
        case _ where Marker.hasSegment(code): return walkSegment(code)
        default: return giveUpHeader(at: cursor)
        }
        return true
    }

    private mutating func walkSegment(_ code: UInt8) -> Bool {
        guard let length = segmentLength(at: cursor) else { return false }
        guard length >= 2 else { return giveUpHeader(at: cursor) }
        if Marker.isFrameHeader(code) {
            guard length >= 8 else { return giveUpHeader(at: cursor) }
            guard cursor + 8 < held.count else { return false }
            let (height, width) = (bigEndian(at: cursor + 5), bigEndian(at: cursor + 7))
            size = width > 0 && height > 0 ? PixelSize(width: width, height: height) : size
            hasFrameHeader = true
        }
        let next = cursor + 2 + length
        if code == Marker.scan {
            guard next <= held.count else { return false }
            guard hasFrameHeader, isScanHeader(at: cursor, next: next) else { return giveUpHeader(at: cursor) }
            state = .imageData
        }
        cursor = next
        return true
    }

    /// A segment that ends in a start marker has lost its own last two bytes, and the next picture is there.
    private func isBehindStart(_ index: Int) -> Bool {
        index - 2 > start && held[index - 2] == 0xFF && held[index - 1] == Marker.start && held[index] == 0xFF
    }

    /// What stands at `index` belongs to no header. The search goes on right behind the start marker: a picture that
    /// was cut in its header has the next one where its own segment should be.
    @discardableResult
    private mutating func giveUpHeader(at index: Int) -> Bool {
        statistics.damaged += 1
        furthest = max(furthest, index)
        search(from: start + 2)
        return true
    }

    private mutating func dropOversized() -> Bool {
        statistics.oversized += 1
        search(from: cursor)
        return true
    }

    /// Where the picture ends; `start` if it has none and the search goes on; nil: not all of it is here.
    private mutating func findEnd(isLast: Bool) -> Int? {
        let limit = start + maximumBytes
        while cursor <= limit {
            guard cursor + 1 < held.count else { return nil }
            guard held[cursor] == 0xFF else {
                cursor += 1
                continue
            }
            switch held[cursor + 1] {
            case Marker.end: return cursor + 2
            case 0xFF: cursor += 1  // a fill byte, or the rest of a cut picture
            case Marker.start:
                guard cursor + 2 < held.count || isLast else { return nil }
                if cursor + 2 < held.count, held[cursor + 2] == 0xFF {
                    statistics.damaged += 1
                    search(from: cursor)
                    return start
                }
                cursor += 2
            case let code where Marker.standsBetweenScans(code):
                guard let next = nextInImage(code, isLast: isLast) else { return nil }
                cursor = next
            default: cursor += 2
            }
        }
        guard cursor <= held.count else { return nil }
        _ = dropOversized()
        return start
    }

    /// Behind the segment at `cursor`, if it is one: damaged data has markers by chance, and their lengths would reach
    /// over the end.
    private func nextInImage(_ code: UInt8, isLast: Bool) -> Int? {
        let asData = cursor + 2
        guard let length = segmentLength(at: cursor) else { return isLast ? asData : nil }
        guard length >= 2 else { return asData }
        let next = asData + length
        guard next + 1 < held.count else { return isLast ? asData : nil }
        if code == Marker.scan { return isScanHeader(at: cursor, next: next) ? next : asData }
        if isBehindStart(next) { return asData }
        let isMarker =
            held[next] == 0xFF
            && (held[next + 1] == 0xFF || held[next + 1] == Marker.end || Marker.hasSegment(held[next + 1]))
        return isMarker ? next : asData
    }

    /// Whether the segment from `index` to `next`, both within what is held, has the form of a scan header (T.81
    /// §B.2.3): 1 to 4 components and a range of the 64 coefficients. One that was cut short has not.
    private func isScanHeader(at index: Int, next: Int) -> Bool {
        let components = Int(held[index + 4])
        return (1...4).contains(components) && next - index == 8 + 2 * components && held[next - 3] < 64
            && held[next - 2] < 64 && held[next - 1] != 0xFF
    }

    /// Of the segment whose marker is at `index`, the length's own two bytes included; nil: not yet here.
    private func segmentLength(at index: Int) -> Int? {
        index + 3 < held.count ? bigEndian(at: index + 2) : nil
    }

    private func bigEndian(at index: Int) -> Int { Int(held[index]) << 8 | Int(held[index + 1]) }
}

/// The second bytes of JPEG markers, ITU-T T.81 table B.1.
private enum Marker {
    static let start: UInt8 = 0xD8
    static let end: UInt8 = 0xD9
    static let scan: UInt8 = 0xDA

    /// TEM and the restart markers.
    static func standsAlone(_ code: UInt8) -> Bool { code == 0x01 || (0xD0...0xD7).contains(code) }

    static func hasSegment(_ code: UInt8) -> Bool {
        (0xC0...0xCF).contains(code) || (0xDA...0xEF).contains(code) || code == 0xFE
    }

    static func isFrameHeader(_ code: UInt8) -> Bool {
        (0xC0...0xCF).contains(code) && code != 0xC4 && code != 0xC8 && code != 0xCC
    }

    /// Tables, comments and the scans of a progressive picture.
    static func standsBetweenScans(_ code: UInt8) -> Bool { hasSegment(code) && !isFrameHeader(code) }
}
