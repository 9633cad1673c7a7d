internal import CKernels

/// Keys and values of all heads of one layer, packed for the kernels: what every kind of attention reads.
///
/// H heads, D floats each. Positions are written once and read by many queries.
package final class AttentionHeads: Sendable {
    package let heads: Int
    package let headDim: Int
    /// Most positions it holds.
    package let capacity: Int
    private let keys: Tensor<Float>  // [H, ceil(capacity/32), D, 32]
    private let values: Tensor<Float>  // [H, ceil(D/32), capacity, 32]
    private let instructionSet: InstructionSet

    package init(heads: Int, headDim: Int, capacity: Int, instructionSet: InstructionSet = .active) {
        precondition(heads >= 1 && (1...Int(CK_MAX_HEAD_DIM)).contains(headDim), "\(heads) heads of \(headDim)")
        precondition((1...Int(CK_MAX_POSITIONS)).contains(capacity), "\(capacity) positions")
        (self.heads, self.headDim, self.capacity) = (heads, headDim, capacity)
        self.instructionSet = instructionSet
        let panel = Int(CK_PANEL)
        keys = Tensor(heads, (capacity + panel - 1) / panel, headDim, panel, filledWith: 0)
        values = Tensor(heads, (headDim + panel - 1) / panel, capacity, panel, filledWith: 0)
    }

    /// Writes positions `positions` of one head from the first rows of `source`.
    ///
    /// - Parameters:
    ///   - source: [≥ positions.count, columns]; row i is position positions.lowerBound + i.
    ///   - keyColumn: Where the head's keys begin in a row.
    ///   - valueColumn: Where its values begin.
    package func store(
        _ source: Tensor<Float>, firstRow: Int = 0, keyColumn: Int, valueColumn: Int, head: Int, positions: Range<Int>
    ) {
        precondition(positions.lowerBound >= 0 && positions.upperBound <= capacity, "\(positions) of \(capacity)")
        precondition((firstRow + positions.count) * source.columns <= source.count, "\(positions) from \(source.shape)")
        precondition(max(keyColumn, valueColumn) + headDim <= source.columns, "\(keyColumn), \(valueColumn)")
        let range = ck_range(positions)
        let first = source.pointer + firstRow * source.columns
        ck_pack_keys(first + keyColumn, source.columns, range, headDim, headKeys(head))
        ck_pack_values(first + valueColumn, source.columns, range, headDim, headValues(head), capacity)
    }

    /// softmax(q Kᵀ / √D) V for `rows` queries of one head.
    ///
    /// - Parameters:
    ///   - queries: [M, columns], the head's queries beginning at `queryColumn`.
    ///   - positions: How many positions are stored.
    ///   - visible: Row 0 sees this many of them, each further row one more.
    ///   - output: [M, H·D].
    ///   - weights: [M, H, ≥ positions], where the softmax goes when asked; the rest of a row is left as it is.
    package func attend(
        _ queries: Tensor<Float>, queryColumn: Int, rows: Range<Int>, head: Int, positions: Int, visible: Int,
        into output: Tensor<Float>, weights: Tensor<Float>? = nil
    ) {
        precondition((1...capacity).contains(positions) && visible >= 1, "\(positions) positions, \(visible) visible")
        precondition(rows.upperBound * queries.columns <= queries.count, "\(rows) of \(queries.shape)")
        precondition(queryColumn + headDim <= queries.columns, "column \(queryColumn) of \(queries.shape)")
        precondition(output.columns == heads * headDim && rows.upperBound * output.columns <= output.count)
        if rows.isEmpty { return }
        var softmax: UnsafeMutablePointer<Float>?
        if let weights {
            precondition(weights.columns >= positions && rows.upperBound * heads * weights.columns <= weights.count)
            softmax = weights.pointer + (rows.lowerBound * heads + head) * weights.columns
        }
        var job = ck_attention(
            queries: queries.pointer + rows.lowerBound * queries.columns + queryColumn, query_stride: queries.columns,
            keys: headKeys(head), values: headValues(head), value_capacity: capacity, rows: rows.count,
            positions: positions, visible: visible, head_dim: headDim, scale: 1 / Float(headDim).squareRoot(),
            out: output.pointer + rows.lowerBound * output.columns + head * headDim, out_stride: output.columns,
            weights: softmax, weights_stride: (weights?.columns ?? 0) * heads)
        instructionSet.kernels.attend(&job)
    }

    private func headKeys(_ head: Int) -> UnsafeMutablePointer<Float> { keys.pointer + head * (keys.count / heads) }
    private func headValues(_ head: Int) -> UnsafeMutablePointer<Float> {
        values.pointer + head * (values.count / heads)
    }
}
