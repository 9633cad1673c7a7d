package import Kernels

/// Self-attention in which every frame sees every frame: an encoder's.
///
/// T frames, H heads, D headDim. One instance serves all layers of one encoder, one call at a time.
package final class BidirectionalAttention: Sendable {
    private let packed: AttentionHeads

    /// - Parameters:
    ///   - maxFrames: Most frames of a call; decides the scratch that is allocated here.
    ///   - precision: With `int8`, keys and values are bfloat16 where the processor multiplies them.
    package init(
        maxFrames: Int, heads: Int, headDim: Int, precision: Precision = .float32,
        instructionSet: InstructionSet = .active
    ) {
        packed = AttentionHeads(
            heads: heads, headDim: headDim, capacity: maxFrames, precision: precision, instructionSet: instructionSet)
    }

    /// softmax(q Kᵀ / √D) V.
    ///
    /// - Parameters:
    ///   - qkv: [≥ T, 3HD]: queries, keys, values, each [H, D].
    ///   - output: [≥ T, HD].
    package func callAsFunction(qkv: Tensor<Float>, frames: Int, into output: Tensor<Float>, pool: ThreadPool) {
        let (heads, width) = (packed.heads, packed.heads * packed.headDim)
        precondition(qkv.columns == 3 * width, "\(qkv.shape) for \(heads) heads of \(packed.headDim)")
        if frames == 0 { return }
        pool.run(heads) { head in
            let column = head * packed.headDim
            packed.store(
                qkv, keyColumn: width + column, valueColumn: 2 * width + column, head: head, positions: 0..<frames)
        }
        let rowsPerTask = 60  // 5 tiles of 12: long enough to keep the head's keys in L2, short enough to share out
        let blocks = (frames + rowsPerTask - 1) / rowsPerTask
        pool.run(heads * blocks) { task in
            let (head, first) = (task / blocks, task % blocks * rowsPerTask)
            packed.attend(
                qkv, queryColumn: head * packed.headDim, rows: first..<min(first + rowsPerTask, frames), head: head,
                positions: frames, visible: frames, into: output)
        }
    }
}
