package import Kernels

/// Keys and values of one decoder layer whose query heads share key heads, and causal attention over them.
///
/// H query heads, G key heads (H a multiple of G), D headDim. With a window a query sees itself and the `window - 1` positions before it, and old positions make way for new
/// ones in a ring with some slack, so that the last `slack` positions can be taken back. Several layers may attend to one cache. Memory grows with the positions held. Results do not depend on how
/// positions are cut into calls. Owned by one decoder and used by one call at a time.
package final class GroupedKVCache {
    package enum Storage: Sendable {
        case float32
        /// IEEE half precision: keys and values are normed, so they neither overflow nor vanish.
        case float16
    }

    package let keyHeads: Int
    package let headDim: Int
    package let window: Int?
    /// Positions that can be taken back; also the most that a call can append. Without a window all can.
    package let slack: Int
    /// Most positions.
    package let limit: Int
    /// Positions held or, in a ring, passed.
    package private(set) var count = 0
    private var written = 0  // highest count since the last reset: what lies below it by a ring's length is overwritten
    private let ringLength: Int  // slots of a full ring, or `limit`
    private var slots: Slots

    package init(keyHeads: Int, headDim: Int, window: Int?, slack: Int, limit: Int, storage: Storage) {
        precondition(keyHeads > 0 && headDim > 0 && slack > 0 && limit > 0 && window ?? 1 > 0)
        (self.keyHeads, self.headDim, self.window, self.slack, self.limit) = (keyHeads, headDim, window, slack, limit)
        ringLength = window.map { min($0 + slack, limit) } ?? limit
        slots = Slots(keyHeads: keyHeads, headDim: headDim, capacity: min(256, ringLength), storage: storage)
    }

    /// The lowest count above 0 to which `truncate` can go.
    package var lowestCount: Int {
        guard let window, written > ringLength else { return 0 }
        return max(0, written - ringLength + window - 1)
    }

    /// Forgets all positions from `count` on; `count` is 0 or at least `lowestCount`.
    package func truncate(to count: Int) {
        precondition((0...self.count).contains(count), "\(count) of \(self.count) positions")
        precondition(
            count == 0 || count >= lowestCount, "\(count), but positions before \(lowestCount) are overwritten")
        self.count = count
        if count == 0 { written = 0 }
    }

    /// Appends new positions.
    /// - Parameters:
    ///   - keys: [≥ rows, G·D].
    ///   - values: Like keys.
    package func append(keys: Tensor<Float>, values: Tensor<Float>, rows: Int) {
        precondition(keys.columns == keyHeads * headDim && values.columns == keys.columns, "\(keys.shape)")
        precondition(count + rows <= limit, "\(rows) more positions than \(limit - count)")
        precondition(window == nil || rows <= slack, "\(rows) positions at once, the slack is \(slack)")
        let needed = min(count + rows, ringLength)
        if needed > slots.capacity { slots.grow(to: min(max(needed, 2 * slots.capacity), ringLength)) }
        for row in 0..<rows { slots.write(keys, values, row: row, slot: (count + row) % ringLength) }
        count += rows
        written = max(written, count)
    }

    /// softmax(q Kᵀ) V, unscaled, for the queries of `rows` positions from `position` on.
    ///
    /// - Parameters:
    ///   - queries: [≥ rows, H·D].
    ///   - output: Like queries.
    package func attend(
        _ queries: Tensor<Float>, rows: Int, position: Int, into output: Tensor<Float>, pool: ThreadPool
    ) {
        precondition(position + rows <= count, "queries to \(position + rows) of \(count) positions")
        precondition(queries.columns == output.columns && queries.columns % (keyHeads * headDim) == 0)
        let width = queries.columns / keyHeads  // the query heads of one key head
        pool.run(rows * keyHeads) { task in
            let (row, head) = (task / keyHeads, task % keyHeads)
            let last = position + row
            let first = window.map { max(0, last - $0 + 1) } ?? 0
            attend(
                queries, start: row * queries.columns + head * width, width: width, head: head,
                positions: first..<last + 1, into: output)
        }
    }

    /// The query heads of one row that share key head `head`: `width` numbers from `start` on, in `queries` and `output`.
    private func attend(
        _ queries: Tensor<Float>, start: Int, width: Int, head: Int, positions: Range<Int>, into output: Tensor<Float>
    ) {
        let (group, seen) = (width / headDim, positions.count)
        func query(_ index: Int) -> Range<Int> { start + index * headDim..<start + (index + 1) * headDim }
        let scores = Tensor<Float>(group, seen, filledWith: 0)
        let widened = Tensor<Float>(1, headDim, filledWith: 0)
        for (index, position) in positions.enumerated() {
            let key = slots.row(.keys, head: head, slot: position % ringLength, scratch: widened)
            for q in 0..<group { scores[q, index] = dot(queries.span.extracting(query(q)), key.span) }
        }
        var out = output.mutableSpan(of: start..<start + width)
        for index in out.indices { out[index] = 0 }
        for q in 0..<group {
            var row = scores.mutableRow(q)
            softmax(&row)
        }
        for (index, position) in positions.enumerated() {
            let value = slots.row(.values, head: head, slot: position % ringLength, scratch: widened)
            for q in 0..<group {
                var part = output.mutableSpan(of: query(q))
                axpy(scores[q, index], value.span, into: &part)
            }
        }
    }
}

/// [G, capacity, D] of keys and of values, as floats or halves.
private struct Slots {
    let keyHeads, headDim: Int
    private(set) var capacity: Int
    let storage: GroupedKVCache.Storage
    private var floats: (keys: Tensor<Float>, values: Tensor<Float>)?
    private var halves: (keys: Tensor<UInt16>, values: Tensor<UInt16>)?

    init(keyHeads: Int, headDim: Int, capacity: Int, storage: GroupedKVCache.Storage) {
        (self.keyHeads, self.headDim, self.capacity, self.storage) = (keyHeads, headDim, capacity, storage)
        func make<Number>(_ zero: Number) -> Tensor<Number> { Tensor(keyHeads, capacity, headDim, filledWith: zero) }
        switch storage {
        case .float32: floats = (make(0), make(0))
        case .float16: halves = (make(0), make(0))
        }
    }

    mutating func grow(to capacity: Int) {
        let larger = Slots(keyHeads: keyHeads, headDim: headDim, capacity: capacity, storage: storage)
        for head in 0..<keyHeads {
            let (from, to, count) = (offset(head, 0), larger.offset(head, 0), self.capacity * headDim)
            if let old = floats, let new = larger.floats {
                new.keys.copy(old.keys, from: from, count: count, to: to)
                new.values.copy(old.values, from: from, count: count, to: to)
            }
            if let old = halves, let new = larger.halves {
                new.keys.copy(old.keys, from: from, count: count, to: to)
                new.values.copy(old.values, from: from, count: count, to: to)
            }
        }
        self = larger
    }

    private func offset(_ head: Int, _ slot: Int) -> Int { (head * capacity + slot) * headDim }

    func write(_ keys: Tensor<Float>, _ values: Tensor<Float>, row: Int, slot: Int) {
        for head in 0..<keyHeads {
            let (from, to) = (row * keys.columns + head * headDim, offset(head, slot))
            if let floats {
                floats.keys.copy(keys, from: from, count: headDim, to: to)
                floats.values.copy(values, from: from, count: headDim, to: to)
            } else if let halves {
                narrow(keys.span.extracting(from..<from + headDim), into: halves.keys, at: to)
                narrow(values.span.extracting(from..<from + headDim), into: halves.values, at: to)
            }
        }
    }

    private func narrow(_ row: Span<Float>, into halves: Tensor<UInt16>, at start: Int) {
        var target = halves.mutableSpan(of: start..<start + row.count)
        for index in row.indices { target[index] = Float16(row[index]).bitPattern }
    }

    enum Side { case keys, values }

    /// One slot as floats; halves are widened into `scratch`.
    func row(_ side: Side, head: Int, slot: Int, scratch: Tensor<Float>) -> SlotRow {
        let start = offset(head, slot)
        if let floats {
            return SlotRow(tensor: side == .keys ? floats.keys : floats.values, start: start, count: headDim)
        }
        if let halves {
            let stored = (side == .keys ? halves.keys : halves.values).span.extracting(start..<start + headDim)
            var target = scratch.mutableRow(0)
            convertFloat16(stored.bytes, into: &target)
        }
        return SlotRow(tensor: scratch, start: 0, count: headDim)
    }
}

private struct SlotRow {
    let tensor: Tensor<Float>
    let start, count: Int

    var span: Span<Float> {
        @_lifetime(borrow self)
        get { _overrideLifetime(tensor.span.extracting(start..<start + count), borrowing: self) }
    }
}
