/// The spellings of a vocabulary by id, and their ids by spelling.
struct GemmaPieces: Sendable {
    enum Kind: UInt8 {
        /// No token has this id.
        case none
        case normal
        /// `<0x41>`: one byte of what has no token of its own.
        case byte
        /// Matched in text before anything else: runs of newlines, tags.
        case added
        /// Steers the model and has no text.
        case special
    }

    /// More ids, bytes of one spelling, or steps of a search than any vocabulary needs: beyond them is damage or malice.
    static let maxCount = 1 << 21
    static let maxSpelling = 1_024
    private static let maxProbes = 1_024

    private var text: [UInt8] = []  // spellings one after the other, UTF-8
    private var ranges: [Range<UInt32>] = []  // by id, within `text`
    private(set) var kinds: [Kind] = []  // by id
    private var slots: [UInt32]  // id + 1 by hash of the spelling, open addressing; 0: free
    private var used = 0

    init(capacity: Int) {
        let capacity = min(max(capacity, 16), Self.maxCount)
        slots = [UInt32](repeating: 0, count: 2 << (Int.bitWidth - capacity.leadingZeroBitCount))
        ranges.reserveCapacity(capacity)
        kinds.reserveCapacity(capacity)
    }

    /// Ids are below it.
    var count: Int { ranges.count }

    func kind(_ id: Int) -> Kind { kinds.indices.contains(id) ? kinds[id] : .none }

    /// Empty for an id that no token has.
    func spelling(_ id: Int) -> ArraySlice<UInt8> {
        ranges.indices.contains(id) ? text[Int(ranges[id].lowerBound)..<Int(ranges[id].upperBound)] : []
    }

    mutating func setKind(_ kind: Kind, of id: Int) { kinds[id] = kind }

    /// Nil when no token is spelled so.
    func id(of spelling: some RandomAccessCollection<UInt8>) -> Int? {
        var slot = slot(of: spelling)
        while slots[slot] != 0 {
            let id = Int(slots[slot] - 1)
            if self.spelling(id).elementsEqual(spelling) { return id }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// - Returns: What is wrong, or nil.
    mutating func add(_ spelling: some RandomAccessCollection<UInt8>, id: Int, kind: Kind) -> String? {
        guard (0..<Self.maxCount).contains(id) else { return "a token has the id \(id)" }
        guard spelling.count <= Self.maxSpelling else { return "token \(id) is \(spelling.count) bytes long" }
        if id >= count {
            ranges += Array(repeating: 0..<0, count: id + 1 - count)
            kinds += Array(repeating: .none, count: id + 1 - kinds.count)
        }
        guard kinds[id] == .none else { return "two tokens have the id \(id)" }
        let start = text.count
        text.append(contentsOf: spelling)
        ranges[id] = UInt32(start)..<UInt32(text.count)
        kinds[id] = kind
        used += 1
        if used * 2 > slots.count { return grow() }
        return place(id)
    }

    private mutating func grow() -> String? {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for id in ranges.indices where kinds[id] != .none {
            if let problem = place(id) { return problem }
        }
        return nil
    }

    private mutating func place(_ id: Int) -> String? {
        let spelling = spelling(id)
        var slot = slot(of: spelling)
        for _ in 0..<Self.maxProbes {
            if slots[slot] == 0 {
                slots[slot] = UInt32(id + 1)
                return nil
            }
            if self.spelling(Int(slots[slot] - 1)) == spelling { return "two tokens are spelled as token \(id) is" }
            slot = (slot + 1) & (slots.count - 1)
        }
        return "its spellings are made to collide"
    }

    /// FNV-1a (Fowler, Noll, Vo), upper half folded in.
    private func slot(of spelling: some Collection<UInt8>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in spelling { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 32) & (slots.count - 1)
    }
}
