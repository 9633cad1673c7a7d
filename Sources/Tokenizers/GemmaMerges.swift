/// Which neighbouring tokens become one, and which pair goes first.
struct GemmaMerges: Sendable {
    /// What a pair becomes: its rank in the upper half, the token in the lower; `none` sorts last.
    typealias Merge = UInt64
    static let none = Merge.max
    static let maxCount = 1 << 22
    private static let maxProbes = 1_024
    private static let free = UInt64.max

    private var keys: [UInt64]  // left << 32 | right, open addressing
    private var merges: [Merge]
    private var used = 0

    init(capacity: Int) {
        let capacity = min(max(capacity, 16), Self.maxCount)
        let size = 2 << (Int.bitWidth - capacity.leadingZeroBitCount)
        keys = [UInt64](repeating: Self.free, count: size)
        merges = [Merge](repeating: Self.none, count: size)
    }

    func merge(_ left: UInt32, _ right: UInt32) -> Merge {
        let key = UInt64(left) << 32 | UInt64(right)
        var slot = slot(of: key)
        while true {
            if keys[slot] == key { return merges[slot] }
            if keys[slot] == Self.free { return Self.none }
            slot = (slot + 1) & (keys.count - 1)
        }
    }

    /// All merges, those that go first in front.
    var list: [(left: UInt32, right: UInt32, id: UInt32, rank: UInt32)] {
        zip(keys, merges).filter { $0.0 != Self.free }
            .sorted { ($0.1 >> 32, $0.0) < ($1.1 >> 32, $1.0) }
            .map { key, merge in
                (
                    UInt32(key >> 32), UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: merge),
                    UInt32(merge >> 32)
                )
            }
    }

    /// The last of equal pairs counts.
    /// - Returns: What is wrong, or nil.
    mutating func add(_ left: Int, _ right: Int, rank: Int, id: Int) -> String? {
        if used * 2 >= keys.count {
            var larger = GemmaMerges(capacity: keys.count)
            for (key, merge) in zip(keys, merges) where key != Self.free {
                if let problem = larger.place(key, merge) { return problem }
            }
            self = larger
        }
        return place(UInt64(left) << 32 | UInt64(right), UInt64(rank) << 32 | UInt64(id))
    }

    private mutating func place(_ key: UInt64, _ merge: Merge) -> String? {
        var slot = slot(of: key)
        for _ in 0..<Self.maxProbes {
            if keys[slot] == Self.free || keys[slot] == key {
                if keys[slot] == Self.free { used += 1 }
                (keys[slot], merges[slot]) = (key, merge)
                return nil
            }
            slot = (slot + 1) & (keys.count - 1)
        }
        return "its merges are made to collide"
    }

    /// Multiplicative hashing (Knuth): the product's upper bits.
    private func slot(of key: UInt64) -> Int {
        let product = (key ^ key >> 29) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product >> 24) & (keys.count - 1)
    }
}

/// Merges the tokens of one stretch of text. Its memory is used again for the next one.
///
/// The pair of lowest rank goes first, of equal ones the leftmost: a heap of pairs over a linked list of tokens, so n
/// tokens cost n log n whatever the text.
struct GemmaMerger {
    private let merges: GemmaMerges
    private var ids: [UInt32] = []
    private var next: [Int32] = []  // -1: none
    private var previous: [Int32] = []
    private var pairs: [GemmaMerges.Merge] = []  // by the pair's left token; `none` for a token that is gone
    private var heap: [UInt64] = []  // rank << 32 | position of the left token

    init(_ merges: GemmaMerges) { self.merges = merges }

    mutating func append(_ id: UInt32) { ids.append(id) }

    var last: UInt32? { ids.last }

    /// Appends what the tokens become, and forgets them.
    mutating func flush(into result: inout [Int]) {
        defer { ids.removeAll(keepingCapacity: true) }
        if ids.count < 2 {
            if let id = ids.first { result.append(Int(id)) }
            return
        }
        link()
        while let (rank, position) = pop() {
            let merge = pairs[position]
            // What stood here may have been merged since.
            guard merge != GemmaMerges.none, merge >> 32 == rank else { continue }
            let right = Int(next[position])
            ids[position] = UInt32(truncatingIfNeeded: merge)
            next[position] = next[right]
            pairs[right] = GemmaMerges.none
            if next[right] >= 0 { previous[Int(next[right])] = Int32(position) }
            pair(position)
            if previous[position] >= 0 { pair(Int(previous[position])) }
        }
        var position = 0
        while position >= 0 {
            result.append(Int(ids[position]))
            position = Int(next[position])
        }
    }

    private mutating func link() {
        next.removeAll(keepingCapacity: true)
        previous.removeAll(keepingCapacity: true)
        pairs.removeAll(keepingCapacity: true)
        let end = ids.count - 1
        for position in 0...end {
            next.append(position < end ? Int32(position + 1) : -1)
            previous.append(Int32(position - 1))
            pairs.append(GemmaMerges.none)
        }
        for position in 0..<end { pair(position) }
    }

    /// Looks up what the token and its neighbour become.
    private mutating func pair(_ position: Int) {
        guard next[position] >= 0 else {
            pairs[position] = GemmaMerges.none
            return
        }
        let merge = merges.merge(ids[position], ids[Int(next[position])])
        pairs[position] = merge
        if merge != GemmaMerges.none { push(merge & ~0xFFFF_FFFF | UInt64(position)) }
    }

    private mutating func push(_ key: UInt64) {
        heap.append(key)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent] <= key { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = key
    }

    private mutating func pop() -> (rank: UInt64, position: Int)? {
        guard let least = heap.first, let key = heap.popLast() else { return nil }
        if !heap.isEmpty {
            var parent = 0
            while 2 * parent + 1 < heap.count {
                var child = 2 * parent + 1
                if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
                if heap[child] >= key { break }
                heap[parent] = heap[child]
                parent = child
            }
            heap[parent] = key
        }
        return (least >> 32, Int(least & 0xFFFF_FFFF))
    }
}
