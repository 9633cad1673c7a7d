internal import CKernels

/// Attention whose query heads share key heads, one position at a time, over slots that are used in a circle.
///
/// H query heads, G key heads, D headDim ≤ 256. Not scaled. Results do not depend on which heads are computed together.
package struct GroupedAttention: @unchecked Sendable {  // guard: reads only; whoever writes the tensors takes turns
    package let keyHeads: Int
    package let headDim: Int
    /// Slots of one key head.
    package let slots: Int
    private let keys: UnsafeRawPointer
    private let values: UnsafeRawPointer
    private let areHalves: Bool
    private let owner: (AnyObject, AnyObject)

    /// - Parameters:
    ///   - keys: [G, slots, D].
    ///   - values: Like keys.
    package init(keys: Tensor<Float>, values: Tensor<Float>) {
        precondition(keys.shape.count == 3 && keys.shape == values.shape, "\(keys.shape), \(values.shape)")
        self.init(keys.shape, keys.pointer, values.pointer, areHalves: false, owner: (keys, values))
    }

    /// - Parameters:
    ///   - halfKeys: [G, slots, D], IEEE halves.
    ///   - halfValues: Like keys.
    package init(halfKeys: Tensor<UInt16>, halfValues: Tensor<UInt16>) {
        precondition(halfKeys.shape.count == 3 && halfKeys.shape == halfValues.shape, "\(halfKeys.shape)")
        self.init(
            halfKeys.shape, halfKeys.pointer, halfValues.pointer, areHalves: true, owner: (halfKeys, halfValues))
    }

    private init(
        _ shape: [Int], _ keys: UnsafeRawPointer, _ values: UnsafeRawPointer, areHalves: Bool,
        owner: (AnyObject, AnyObject)
    ) {
        (keyHeads, slots, headDim) = (shape[0], shape[1], shape[2])
        precondition((1...Int(CK_MAX_HEAD_DIM)).contains(headDim) && slots >= 1, "\(shape)")
        (self.keys, self.values, self.areHalves, self.owner) = (keys, values, areHalves, owner)
    }

    /// softmax(q Kᵀ) V for the query heads of one row that share one key head.
    ///
    /// - Parameters:
    ///   - queries: [≥ row, H·D], H a multiple of G.
    ///   - seen: Positions; position p lies in slot p modulo `slots`. At least one, at most `slots`.
    ///   - scores: Scratch, at least H/G · seen.count.
    ///   - output: Like queries.
    package func attend(
        _ queries: Tensor<Float>, row: Int, keyHead: Int, seen: Range<Int>, scores: inout MutableSpan<Float>,
        into output: Tensor<Float>, on instructionSet: InstructionSet = .active
    ) {
        let width = queries.columns / keyHeads
        let group = width / headDim
        precondition(
            queries.columns == keyHeads * group * headDim && output.columns == queries.columns, "\(queries.shape)")
        precondition(row >= 0 && (row + 1) * queries.columns <= min(queries.count, output.count), "row \(row)")
        precondition((0..<keyHeads).contains(keyHead), "head \(keyHead) of \(keyHeads)")
        precondition(seen.lowerBound >= 0 && (1...slots).contains(seen.count), "\(seen) of \(slots) slots")
        precondition(scores.count >= group * seen.count, "\(scores.count) scores for \(group) · \(seen.count)")
        let start = row * queries.columns + keyHead * width
        let first = keyHead * slots * headDim * (areHalves ? MemoryLayout<UInt16>.size : MemoryLayout<Float>.size)
        scores.withUnsafeMutableBufferPointer { scores in
            var job = ck_grouped_attention(
                queries: queries.pointer + start, out: output.pointer + start, keys: keys + first,
                values: values + first, are_halves: areHalves ? 1 : 0, heads: group, head_dim: headDim,
                first: seen.lowerBound % slots, count: seen.count, slots: slots, scores: scores.baseAddress!)
            instructionSet.kernels.decoder.attend_grouped(&job)
        }
    }
}
