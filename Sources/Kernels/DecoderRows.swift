internal import CKernels

// What a text decoder does to rows between its products; each takes the instruction set so that tests can compare them.

/// x / √(mean(x²) + ε) · weight over groups of `width` neighbours of some rows: whole rows, or the heads in them.
///
/// - Parameters:
///   - x: [≥ rows, columns], columns a multiple of `width`.
///   - width: Length of a group.
///   - weight: [width], or none.
///   - output: Like x; may be x.
///   - adding: Adds to what `output` holds.
package func rmsNorm(
    _ x: Tensor<Float>, rows: Range<Int>, width: Int, weight: Tensor<Float>?, epsilon: Float,
    into output: Tensor<Float>, adding: Bool = false, on instructionSet: InstructionSet = .active
) {
    let columns = x.columns
    precondition(
        width > 0 && columns % width == 0 && output.columns == columns, "\(x.shape), \(output.shape), \(width)")
    precondition(weight == nil || weight?.count == width, "\(weight?.count ?? 0) weights for \(width)")
    precondition(rows.lowerBound >= 0 && rows.upperBound * columns <= min(x.count, output.count), "\(rows)")
    if rows.isEmpty { return }
    var job = ck_rms_norm(
        x: x.pointer + rows.lowerBound * columns, y: output.pointer + rows.lowerBound * columns,
        weight: weight?.pointer, groups: rows.count * (columns / width), width: width, epsilon: epsilon,
        adding: adding ? 1 : 0)
    instructionSet.kernels.decoder.rms_norm(&job)
}

/// gates = GELU(gates) · factors, in the tanh form.
package func multiplyGELU(
    _ gates: inout MutableSpan<Float>, by factors: Span<Float>, on instructionSet: InstructionSet = .active
) {
    precondition(gates.count == factors.count, "\(gates.count) and \(factors.count)")
    gates.withUnsafeMutableBufferPointer { gates in
        factors.withUnsafeBufferPointer { factors in
            guard let x = gates.baseAddress, let f = factors.baseAddress else { return }
            instructionSet.kernels.decoder.multiply_gelu(x, f, gates.count)
        }
    }
}

/// x = cap · tanh(x / cap).
package func softCap(_ x: inout MutableSpan<Float>, at cap: Float, on instructionSet: InstructionSet = .active) {
    x.withUnsafeMutableBufferPointer { x in
        if let first = x.baseAddress { instructionSet.kernels.decoder.soft_cap(first, x.count, cap) }
    }
}

/// Turns the pairs (d, d + D/2) of every head of a row.
///
/// - Parameters:
///   - heads: [H·D], in place.
///   - cosines: [D/2], of the angles of the row's position.
package func rotateHeads(
    _ heads: inout MutableSpan<Float>, cosines: Span<Float>, sines: Span<Float>,
    on instructionSet: InstructionSet = .active
) {
    let half = cosines.count
    precondition(half > 0 && sines.count == half && heads.count % (2 * half) == 0, "\(heads.count), \(half)")
    heads.withUnsafeMutableBufferPointer { heads in
        cosines.withUnsafeBufferPointer { cosines in
            sines.withUnsafeBufferPointer { sines in
                guard let x = heads.baseAddress, let c = cosines.baseAddress, let s = sines.baseAddress else { return }
                instructionSet.kernels.decoder.rotate(x, heads.count / (2 * half), c, s, half)
            }
        }
    }
}

/// Subtracts mean + `deviations` · deviation (of N) from a row of gates and packs what stays above 0 to its front.
///
/// - Parameter indices: [gates.count]; gets where each packed one was, ascending; the rest is undefined in both.
/// - Returns: How many are left.
package func cutGates(
    _ gates: inout MutableSpan<Float>, deviations: Float, into indices: inout MutableSpan<Int32>,
    on instructionSet: InstructionSet = .active
) -> Int {
    precondition(indices.count == gates.count, "\(indices.count) indices for \(gates.count)")
    return gates.withUnsafeMutableBufferPointer { gates in
        indices.withUnsafeMutableBufferPointer { indices in
            guard let x = gates.baseAddress, let places = indices.baseAddress else { return 0 }
            let kernels = instructionSet.kernels.decoder
            return kernels.cut(x, gates.count, kernels.cut_level(x, gates.count, deviations), places)
        }
    }
}

/// mean + `deviations` · deviation (of N): what `cutGates` subtracts. At least one number.
package func cutLevel(_ x: Span<Float>, deviations: Float, on instructionSet: InstructionSet = .active) -> Float {
    x.withUnsafeBufferPointer { instructionSet.kernels.decoder.cut_level($0.baseAddress!, $0.count, deviations) }
}

/// s[i] += Σ c[4i + j] s[j], in place, over one row of each of four streams.
///
/// - Parameters:
///   - streams: [4, rows, columns].
///   - coefficients: [16].
package func mixStreams(
    _ streams: Tensor<Float>, row: Int, coefficients: Span<Float>, on instructionSet: InstructionSet = .active
) {
    precondition(coefficients.count == 16, "\(coefficients.count) coefficients")
    withStreams(streams, row: row) { rows in
        coefficients.withUnsafeBufferPointer {
            instructionSet.kernels.decoder.mix_streams(rows, $0.baseAddress!, streams.columns)
        }
    }
}

/// s[i] += k[i] · (o - s[0]), then scaled = s[0] · scale, over one row.
///
/// - Parameters:
///   - streams: [4, rows, columns].
///   - change: o, [columns].
///   - coefficients: k, [4].
///   - scale: [columns].
///   - scaled: [columns]; not a stream.
package func correctStreams(
    _ streams: Tensor<Float>, row: Int, with change: Span<Float>, coefficients: Span<Float>, scale: Span<Float>,
    into scaled: inout MutableSpan<Float>, on instructionSet: InstructionSet = .active
) {
    let columns = streams.columns
    precondition(coefficients.count == 4 && change.count == columns && scale.count == columns)
    precondition(scaled.count == columns, "\(scaled.count) for \(columns)")
    withStreams(streams, row: row) { rows in
        change.withUnsafeBufferPointer { change in
            coefficients.withUnsafeBufferPointer { k in
                scale.withUnsafeBufferPointer { scale in
                    scaled.withUnsafeMutableBufferPointer { scaled in
                        instructionSet.kernels.decoder.correct_streams(
                            rows, change.baseAddress!, k.baseAddress!, scale.baseAddress!, scaled.baseAddress!, columns)
                    }
                }
            }
        }
    }
}

private func withStreams(
    _ streams: Tensor<Float>, row: Int, _ body: (UnsafePointer<UnsafeMutablePointer<Float>>) -> Void
) {
    let rows = streams.rows / Int(CK_STREAMS)
    precondition(streams.rows == rows * Int(CK_STREAMS) && (0..<rows).contains(row), "row \(row) of \(streams.shape)")
    let first = streams.pointer + row * streams.columns
    let step = rows * streams.columns
    withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>.self, capacity: Int(CK_STREAMS)) { pointers in
        for stream in 0..<Int(CK_STREAMS) { pointers[stream] = first + stream * step }
        body(UnsafePointer(pointers.baseAddress!))
    }
}

/// output = (a + b + c) · factor for `rows`; output may be any of them.
package func addThree(
    _ a: Tensor<Float>, _ b: Tensor<Float>, _ c: Tensor<Float>, rows: Range<Int>, factor: Float,
    into output: Tensor<Float>, on instructionSet: InstructionSet = .active
) {
    let (start, end) = (rows.lowerBound * a.columns, rows.upperBound * a.columns)
    precondition(b.columns == a.columns && c.columns == a.columns && output.columns == a.columns, "\(a.shape)")
    precondition(start >= 0 && end <= min(a.count, b.count, c.count, output.count), "\(rows) of \(a.shape)")
    if rows.isEmpty { return }
    instructionSet.kernels.decoder.add_three(
        a.pointer + start, b.pointer + start, c.pointer + start, factor, output.pointer + start, end - start)
}

/// output = x · factor.
package func scale(
    _ x: Span<Float>, by factor: Float, into output: inout MutableSpan<Float>,
    on instructionSet: InstructionSet = .active
) {
    precondition(x.count == output.count, "\(x.count) and \(output.count)")
    x.withUnsafeBufferPointer { x in
        output.withUnsafeMutableBufferPointer { output in
            guard let from = x.baseAddress, let to = output.baseAddress else { return }
            instructionSet.kernels.decoder.scale(from, factor, to, x.count)
        }
    }
}

/// Floats to IEEE half precision, ties to even.
package func convertToFloat16(
    _ x: Span<Float>, into halves: inout MutableSpan<UInt16>, on instructionSet: InstructionSet = .active
) {
    precondition(x.count == halves.count, "\(x.count) and \(halves.count)")
    x.withUnsafeBufferPointer { x in
        halves.withUnsafeMutableBufferPointer { halves in
            guard let from = x.baseAddress, let to = halves.baseAddress else { return }
            instructionSet.kernels.decoder.float_to_half(from, to, x.count)
        }
    }
}
