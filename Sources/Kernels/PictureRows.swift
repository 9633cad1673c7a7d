internal import CKernels

// What a picture encoder does to pixels between its products; each takes the instruction set so that tests can compare them.

/// GELU(x / √(mean(x²) + ε) · weight), in the tanh form, of some rows.
///
/// - Parameters:
///   - x: [≥ rows, columns].
///   - weight: [columns].
///   - output: Like x; may be x.
package func rmsNormGELU(
    _ x: Tensor<Float>, rows: Range<Int>, weight: Tensor<Float>, epsilon: Float, into output: Tensor<Float>,
    on instructionSet: InstructionSet = .active
) {
    let columns = x.columns
    precondition(weight.count == columns && output.columns == columns, "\(x.shape), \(weight.count), \(output.shape)")
    precondition(rows.lowerBound >= 0 && rows.upperBound * columns <= min(x.count, output.count), "\(rows)")
    if rows.isEmpty { return }
    var job = ck_rms_norm(
        x: x.pointer + rows.lowerBound * columns, y: output.pointer + rows.lowerBound * columns,
        weight: weight.pointer, groups: rows.count, width: columns, epsilon: epsilon, adding: 0)
    instructionSet.kernels.vision.rms_norm_gelu(&job)
}

/// output += x · scale, row by row.
///
/// - Parameters:
///   - x: [≥ rows, columns].
///   - scale: [columns].
///   - output: Like x; not x.
package func addScaled(
    _ x: Tensor<Float>, rows: Range<Int>, scale: Tensor<Float>, into output: Tensor<Float>,
    on instructionSet: InstructionSet = .active
) {
    let columns = x.columns
    precondition(scale.count == columns && output.columns == columns, "\(x.shape), \(scale.count), \(output.shape)")
    precondition(rows.lowerBound >= 0 && rows.upperBound * columns <= min(x.count, output.count), "\(rows)")
    if rows.isEmpty { return }
    let first = rows.lowerBound * columns
    instructionSet.kernels.vision.add_scaled(
        x.pointer + first, scale.pointer, output.pointer + first, rows.count, columns)
}
