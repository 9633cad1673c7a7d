package import Kernels

/// Attention from a decoder to an encoder's output, whose keys and values are packed once per window.
///
/// T frames, H heads, D headDim. One per layer; owned by one decoder and used by one call at a time.
package final class CrossAttention {
    private let packed: AttentionHeads
    /// Frames stored.
    package private(set) var frames = 0

    /// - Parameter precision: With `int8`, keys and values are kept as bfloat16 where the processor multiplies them.
    package init(
        maxFrames: Int, heads: Int, headDim: Int, precision: Precision = .float32,
        instructionSet: InstructionSet = .active
    ) {
        packed = AttentionHeads(
            heads: heads, headDim: headDim, capacity: maxFrames, precision: precision, instructionSet: instructionSet)
    }

    /// - Parameter keysValues: [≥ frames, 2HD]: keys, values, each [H, D].
    package func store(keysValues: Tensor<Float>, frames: Int, pool: ThreadPool = .single) {
        let width = packed.heads * packed.headDim
        precondition(keysValues.columns == 2 * width, "\(keysValues.shape) for \(packed.heads) heads")
        pool.run(packed.heads) { head in
            let column = head * packed.headDim
            packed.store(
                keysValues, keyColumn: column, valueColumn: width + column, head: head, positions: 0..<frames)
        }
        self.frames = frames
    }

    /// softmax(q Kᵀ / √D) V over the stored frames.
    ///
    /// - Parameters:
    ///   - query: [≥ rows, HD].
    ///   - output: [≥ rows, HD].
    ///   - weights: [≥ rows, H, ≥ frames], for the softmax weights when they are wanted.
    package func attend(
        query: Tensor<Float>, rows: Int, into output: Tensor<Float>, weights: Tensor<Float>? = nil, pool: ThreadPool
    ) {
        precondition(frames > 0, "nothing is stored")
        if rows == 0 { return }
        packed.attendFromAllHeads(
            query, rows: rows, positions: frames, visible: frames, into: output, weights: weights, pool: pool)
    }
}
