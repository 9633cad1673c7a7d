internal import CKernels
internal import Glibc

// Functions on rows of floats; each takes the instruction set so that tests can compare them.

/// x = exp(x - max) / Σ exp(x - max). An empty row stays empty.
package func softmax(_ row: inout MutableSpan<Float>, on instructionSet: InstructionSet = .active) {
    row.withUnsafeMutableBufferPointer { x in
        if let first = x.baseAddress { instructionSet.kernels.softmax(first, x.count) }
    }
}

/// The largest value; -∞ of an empty row. NaNs are passed over.
package func maximum(_ row: Span<Float>, on instructionSet: InstructionSet = .active) -> Float {
    row.withUnsafeBufferPointer { x in
        guard let first = x.baseAddress else { return -.infinity }
        return instructionSet.kernels.maximum(first, x.count)
    }
}

/// Σ exp(x - shift); 0 of an empty row.
package func sumOfExponentials(
    _ row: Span<Float>, minus shift: Float, on instructionSet: InstructionSet = .active
) -> Float {
    row.withUnsafeBufferPointer { x in
        guard let first = x.baseAddress else { return 0 }
        return instructionSet.kernels.sum_of_exponentials(first, x.count, shift)
    }
}

/// log Σ exp(x), without overflow; -∞ of an empty row.
///
/// `logits[i] - logSumExp(logits)` is the log probability of token i.
package func logSumExp(_ row: Span<Float>, on instructionSet: InstructionSet = .active) -> Float {
    let largest = maximum(row, on: instructionSet)
    return largest == -.infinity ? largest : largest + logf(sumOfExponentials(row, minus: largest, on: instructionSet))
}

/// Σ aᵢbᵢ of two rows of equal length.
package func dot(_ a: Span<Float>, _ b: Span<Float>, on instructionSet: InstructionSet = .active) -> Float {
    precondition(a.count == b.count, "\(a.count) and \(b.count)")
    return a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
            guard let x = a.baseAddress, let y = b.baseAddress else { return 0 }
            return instructionSet.kernels.dot(x, y, a.count)
        }
    }
}

/// y += factor · x.
package func axpy(
    _ factor: Float, _ x: Span<Float>, into y: inout MutableSpan<Float>, on instructionSet: InstructionSet = .active
) {
    precondition(x.count == y.count, "\(x.count) and \(y.count)")
    x.withUnsafeBufferPointer { x in
        y.withUnsafeMutableBufferPointer { y in
            guard let from = x.baseAddress, let to = y.baseAddress else { return }
            instructionSet.kernels.axpy(factor, from, to, x.count)
        }
    }
}

/// y = activation(y), elementwise.
package func activate(
    _ y: inout MutableSpan<Float>, _ activation: Activation, on instructionSet: InstructionSet = .active
) {
    y.withUnsafeMutableBufferPointer { y in
        if let first = y.baseAddress { instructionSet.kernels.activate(first, y.count, activation.code) }
    }
}

/// y = x·Φ(x), elementwise.
package func gelu(_ y: inout MutableSpan<Float>, on instructionSet: InstructionSet = .active) {
    activate(&y, .gelu, on: instructionSet)
}

/// (x - mean) / √(variance + ε) · γ + β for `rows` of `x`; `output` may be `x`.
package func layerNorm(
    _ x: Tensor<Float>, rows: Range<Int>, gamma: Tensor<Float>, beta: Tensor<Float>, epsilon: Float,
    into output: Tensor<Float>, on instructionSet: InstructionSet = .active
) {
    let columns = x.columns
    precondition(gamma.count == columns && beta.count == columns && output.columns == columns, "\(x.shape)")
    precondition(rows.upperBound * columns <= min(x.count, output.count), "\(rows) of \(x.shape)")
    if rows.isEmpty { return }
    var job = ck_layer_norm(
        x: x.pointer + rows.lowerBound * columns, y: output.pointer + rows.lowerBound * columns, gamma: gamma.pointer,
        beta: beta.pointer, rows: rows.count, columns: columns, epsilon: epsilon)
    instructionSet.kernels.layer_norm(&job)
}

/// The elementwise end of an LSTM step: c = σ(f)·c + σ(i)·tanh(g), h = σ(o)·tanh(c).
///
/// - Parameters:
///   - gates: [4H]: input, forget, cell, output.
///   - cell: [H], in place.
///   - hidden: [H].
package func lstmGates(
    _ gates: Tensor<Float>, cell: Tensor<Float>, hidden: Tensor<Float>, on instructionSet: InstructionSet = .active
) {
    precondition(gates.count == 4 * cell.count && hidden.count == cell.count, "\(gates.shape), \(cell.shape)")
    instructionSet.kernels.lstm(gates.pointer, cell.pointer, hidden.pointer, cell.count)
}

/// IEEE half precision, little-endian and at any alignment, to floats; exact.
package func convertFloat16(
    _ bytes: RawSpan, into output: inout MutableSpan<Float>, on instructionSet: InstructionSet = .active
) {
    precondition(bytes.byteCount == 2 * output.count, "\(bytes.byteCount) bytes for \(output.count) halves")
    bytes.withUnsafeBytes { bytes in
        output.withUnsafeMutableBufferPointer { output in
            guard let from = bytes.baseAddress, let to = output.baseAddress else { return }
            instructionSet.kernels.half_to_float(from.assumingMemoryBound(to: UInt8.self), to, output.count)
        }
    }
}
