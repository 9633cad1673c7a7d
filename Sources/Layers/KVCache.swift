package import Kernels

/// Keys and values of one decoder layer, and the causal self-attention over them.
///
/// H heads, D headDim. Owned by one decoder and used by one call at a time.
package final class KVCache {
    private let packed: AttentionHeads
    /// Positions held.
    package private(set) var count = 0

    package init(capacity: Int, heads: Int, headDim: Int, instructionSet: InstructionSet = .active) {
        packed = AttentionHeads(heads: heads, headDim: headDim, capacity: capacity, instructionSet: instructionSet)
    }

    package var capacity: Int { packed.capacity }

    /// Forgets all positions from `count` on.
    package func truncate(to count: Int) {
        precondition((0...self.count).contains(count), "\(count) of \(self.count) positions")
        self.count = count
    }

    /// Appends the keys and values of new positions, without attending.
    /// - Parameter qkv: [≥ rows, 3HD].
    package func append(qkv: Tensor<Float>, rows: Int) {
        let width = packed.heads * packed.headDim
        precondition(qkv.columns == 3 * width, "\(qkv.shape) for \(packed.heads) heads of \(packed.headDim)")
        precondition(count + rows <= capacity, "\(rows) more positions than \(capacity - count)")
        for head in 0..<packed.heads {
            let column = head * packed.headDim
            packed.store(
                qkv, keyColumn: width + column, valueColumn: 2 * width + column, head: head,
                positions: count..<count + rows)
        }
        count += rows
    }

    /// Appends `rows` new positions, then attends from each to itself and all before it.
    ///
    /// - Parameters:
    ///   - qkv: [≥ rows, 3HD]: queries, keys, values, each [H, D].
    ///   - output: [≥ rows, HD].
    package func attend(qkv: Tensor<Float>, rows: Int, into output: Tensor<Float>, pool: ThreadPool) {
        if rows == 0 { return }
        let before = count
        append(qkv: qkv, rows: rows)
        packed.attendFromAllHeads(
            qkv, rows: rows, positions: count, visible: before + 1, into: output, weights: nil, pool: pool)
    }
}

extension AttentionHeads {
    /// Below this many products of query and position per call, one thread is faster than two.
    private static let worthSharing = 1_000

    /// All heads of a few rows, shared out by head where it pays.
    func attendFromAllHeads(
        _ queries: Tensor<Float>, rows: Int, positions: Int, visible: Int, into output: Tensor<Float>,
        weights: Tensor<Float>?, pool: ThreadPool
    ) {
        let pool = rows * positions * heads < Self.worthSharing ? ThreadPool.single : pool
        pool.run(heads) { head in
            attend(
                queries, queryColumn: head * headDim, rows: 0..<rows, head: head, positions: positions,
                visible: visible, into: output, weights: weights)
        }
    }
}
