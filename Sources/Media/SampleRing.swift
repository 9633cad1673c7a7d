import Synchronization

/// Samples on their way out of a capture thread.
package typealias SampleRing = Ring<Float>

/// A bounded queue between exactly one producing and one consuming thread; neither ever waits for the other.
///
/// Both indices only grow and are reduced by a mask, so `write - read` is the fill even after they wrap round.
package final class Ring<Element: BitwiseCopyable & Sendable>: Sendable {
    package let capacity: Int
    /// Guarded by the two indices: the consumer touches the slots `read ..< write` only, the producer the others only,
    /// and each publishes its progress by a releasing store that the other acquires.
    private nonisolated(unsafe) let storage: UnsafeMutableBufferPointer<Element>
    private let writeIndex = Atomic<Int>(0)
    private let readIndex = Atomic<Int>(0)

    /// - Parameter minimumCapacity: elements that must fit, ≥ 1; rounded up to a power of two.
    package init(minimumCapacity: Int) {
        precondition(minimumCapacity > 0 && minimumCapacity <= 1 << 40, "\(minimumCapacity)")
        capacity = minimumCapacity == 1 ? 1 : 1 << (Int.bitWidth - (minimumCapacity - 1).leadingZeroBitCount)
        storage = .allocate(capacity: capacity)
    }

    deinit { storage.deallocate() }

    /// Elements waiting: the consumer will find at least this many, unless the producer asked.
    package var count: Int {
        let read = readIndex.load(ordering: .acquiring)
        return writeIndex.load(ordering: .acquiring) &- read
    }

    /// Room for the producer; it can only grow before the producer's next write.
    package var room: Int { capacity - (writeIndex.load(ordering: .relaxed) &- readIndex.load(ordering: .acquiring)) }

    /// Producer: appends what fits.
    /// - Returns: how many fitted, from the front; the rest is an overrun.
    package func write(_ elements: Span<Element>) -> Int {
        let start = writeIndex.load(ordering: .relaxed)
        let count = min(elements.count, capacity - (start &- readIndex.load(ordering: .acquiring)))
        guard count > 0 else { return 0 }
        elements.withUnsafeBufferPointer { source in
            let offset = start & (capacity - 1)
            let first = min(count, capacity - offset)
            let base = storage.baseAddress!
            (base + offset).initialize(from: source.baseAddress!, count: first)
            base.initialize(from: source.baseAddress! + first, count: count - first)
        }
        writeIndex.store(start &+ count, ordering: .releasing)
        return count
    }

    /// Producer: appends one element.
    /// - Returns: false if there is no room.
    package func write(_ element: Element) -> Bool {
        let start = writeIndex.load(ordering: .relaxed)
        guard start &- readIndex.load(ordering: .acquiring) < capacity else { return false }
        (storage.baseAddress! + (start & (capacity - 1))).initialize(to: element)
        writeIndex.store(start &+ 1, ordering: .releasing)
        return true
    }

    /// Consumer: takes up to `limit` elements, oldest first, and appends them to `destination`.
    /// - Returns: how many were taken.
    @discardableResult
    package func read(upTo limit: Int, into destination: inout [Element]) -> Int {
        let start = readIndex.load(ordering: .relaxed)
        let count = min(limit, writeIndex.load(ordering: .acquiring) &- start)
        guard count > 0 else { return 0 }
        let offset = start & (capacity - 1)
        let first = min(count, capacity - offset)
        destination.append(contentsOf: storage[offset..<offset + first])
        destination.append(contentsOf: storage[0..<count - first])
        readIndex.store(start &+ count, ordering: .releasing)
        return count
    }

    /// Consumer: the oldest element, which stays.
    package func peek() -> Element? {
        let start = readIndex.load(ordering: .relaxed)
        guard writeIndex.load(ordering: .acquiring) != start else { return nil }
        return storage[start & (capacity - 1)]
    }

    /// Consumer: takes the oldest element.
    package func read() -> Element? {
        guard let element = peek() else { return nil }
        readIndex.store(readIndex.load(ordering: .relaxed) &+ 1, ordering: .releasing)
        return element
    }
}
