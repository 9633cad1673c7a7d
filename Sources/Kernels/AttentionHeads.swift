internal import CKernels

/// Keys and values of all heads of one layer, packed for the kernels: what every kind of attention reads.
///
/// H heads, D floats each. Positions are written once and read by many queries.
package final class AttentionHeads: Sendable {
    package let heads: Int
    package let headDim: Int
    /// Most positions it holds.
    package let capacity: Int
    /// Whether keys and values are kept and multiplied as bfloat16: half the memory, twice the products.
    package let isNarrow: Bool
    // Units of 32 bits: a float, or two bfloat16 (of neighbours along D in keys, along positions in values).
    private let keys: Tensor<UInt32>  // [H, ceil(capacity/32), units(D), 32]
    private let values: Tensor<UInt32>  // [H, ceil(D/32), units(capacity), 32]
    private let multiply: @convention(c) (UnsafePointer<ck_attention>) -> Void

    /// - Parameter precision: With `int8` keys and values are bfloat16 where the instruction set multiplies them; the
    ///   rounding is finer than that of the int8 products around it.
    package init(
        heads: Int, headDim: Int, capacity: Int, precision: Precision = .float32,
        instructionSet: InstructionSet = .active
    ) {
        precondition(heads >= 1 && (1...Int(CK_MAX_HEAD_DIM)).contains(headDim), "\(heads) heads of \(headDim)")
        precondition((1...Int(CK_MAX_POSITIONS)).contains(capacity), "\(capacity) positions")
        (self.heads, self.headDim, self.capacity) = (heads, headDim, capacity)
        let narrow = precision == .int8 ? instructionSet.kernels.attend_bf16 : nil
        isNarrow = narrow != nil
        multiply = narrow ?? instructionSet.kernels.attend
        let (panel, unit) = (Int(CK_PANEL), narrow == nil ? 1 : 2)
        keys = Tensor(heads, (capacity + panel - 1) / panel, (headDim + unit - 1) / unit, panel, filledWith: 0)
        values = Tensor(heads, (headDim + panel - 1) / panel, (capacity + unit - 1) / unit, panel, filledWith: 0)
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
        let (keys, values) = (headKeys(head), headValues(head))
        if isNarrow {
            ck_pack_keys_bf16(first + keyColumn, source.columns, range, headDim, keys.narrow)
            ck_pack_values_bf16(first + valueColumn, source.columns, range, headDim, values.narrow, capacity)
        } else {
            ck_pack_keys(first + keyColumn, source.columns, range, headDim, keys.floats)
            ck_pack_values(first + valueColumn, source.columns, range, headDim, values.floats, capacity)
        }
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
        multiply(&job)
    }

    private func headKeys(_ head: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(keys.pointer + head * (keys.count / heads))
    }

    private func headValues(_ head: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(values.pointer + head * (values.count / heads))
    }
}

extension UnsafeMutableRawPointer {
    fileprivate var floats: UnsafeMutablePointer<Float> { assumingMemoryBound(to: Float.self) }
    fileprivate var narrow: UnsafeMutablePointer<UInt16> { assumingMemoryBound(to: UInt16.self) }
}
