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
    private var slots: KVSlots

    package init(keyHeads: Int, headDim: Int, window: Int?, slack: Int, limit: Int, storage: Storage) {
        precondition(keyHeads > 0 && headDim > 0 && slack > 0 && limit > 0 && window ?? 1 > 0)
        (self.keyHeads, self.headDim, self.window, self.slack, self.limit) = (keyHeads, headDim, window, slack, limit)
        ringLength = window.map { min($0 + slack, limit) } ?? limit
        slots = KVSlots(keyHeads: keyHeads, headDim: headDim, capacity: min(256, ringLength), storage: storage)
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
        if needed > slots.capacity { slots = slots.grown(to: min(max(needed, 2 * slots.capacity), ringLength)) }
        for row in 0..<rows {
            slots.write(keys: keys, values: values, row: row, slot: (count + row) % ringLength)
        }
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
        let heads = slots.attention
        let group = queries.columns / (keyHeads * headDim)
        pool.run(rows * keyHeads) { task in
            let (row, head) = (task / keyHeads, task % keyHeads)
            let last = position + row
            let seen = max(0, last + 1 - (window ?? limit))..<last + 1
            let scratch = Tensor<Float>(group, seen.count, filledWith: 0)
            var scores = scratch.mutableSpan
            heads.attend(queries, row: row, keyHead: head, seen: seen, scores: &scores, into: output)
        }
    }
}
