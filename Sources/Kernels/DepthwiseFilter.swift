internal import CKernels

/// The weights of a depthwise convolution: every channel has its own kernel × kernel taps.
///
/// Channels lie interleaved (NHWC), so that a register holds neighbours of one pixel. An output depends on its taps alone,
/// bit for bit, so rows can be computed in any partition.
package final class DepthwiseFilter: Sendable {
    package static let kernels = [3, 5]
    package static let strides = [1, 2]

    package let channels: Int
    package let kernel: Int
    private let weights: Tensor<Float>  // [kernel, kernel, C]
    private let bias: Tensor<Float>  // [C]
    private let convolve: @convention(c) (UnsafePointer<ck_depthwise>, ck_range) -> Void

    /// - Parameters:
    ///   - weights: [C, kernel, kernel] row-major, as frameworks store them.
    ///   - bias: [C], or none.
    ///   - kernel: 3 or 5.
    package init(
        weights: [Float], bias: [Float]?, channels: Int, kernel: Int, instructionSet: InstructionSet = .active
    ) {
        precondition(Self.kernels.contains(kernel) && channels >= 1, "\(channels) channels, kernel \(kernel)")
        let taps = kernel * kernel
        precondition(
            weights.count == channels * taps, "\(weights.count) weights for [\(channels), \(kernel), \(kernel)]")
        precondition(bias == nil || bias?.count == channels, "\(bias?.count ?? 0) biases for \(channels) channels")
        (self.channels, self.kernel) = (channels, kernel)
        self.weights = Tensor(
            (0..<taps * channels).map { weights[$0 % channels * taps + $0 / channels] }, shape: taps, channels)
        self.bias = Tensor(bias ?? [Float](repeating: 0, count: channels), shape: channels)
        convolve = instructionSet.kernels.depthwise
    }

    /// Computes output rows `rows`.
    ///
    /// - Parameters:
    ///   - input: [_, C]; its first row is pixel (`firstInputRow`, 0), and it holds all that `rows` sees.
    ///   - geometry: Of the whole picture; its stride is 1 or 2.
    ///   - output: [_, C]; pixel (rows.lowerBound, 0) goes to its row `outputRow`.
    package func apply(
        _ input: Tensor<Float>, firstInputRow: Int = 0, geometry: ConvolutionGeometry, rows: Range<Int>,
        into output: Tensor<Float>, at outputRow: Int, activation: Activation = .none
    ) {
        precondition(geometry.kernel == kernel && Self.strides.contains(geometry.stride), "\(geometry)")
        precondition(input.columns == channels && output.columns == channels, "\(input.shape), \(output.shape)")
        precondition(rows.lowerBound >= 0 && rows.upperBound <= geometry.outputHeight, "\(rows)")
        if rows.isEmpty { return }
        let seen = geometry.inputRows(of: rows)
        precondition(
            firstInputRow <= seen.lowerBound
                && (seen.upperBound - firstInputRow) * geometry.width * channels <= input.count,
            "\(input.shape) from row \(firstInputRow) for \(seen)")
        precondition(
            outputRow >= 0 && (outputRow + rows.count * geometry.outputWidth) * channels <= output.count,
            "\(rows) to \(outputRow) of \(output.shape)")
        var job = ck_depthwise(
            x: input.pointer, y: output.pointer + outputRow * channels, weights: weights.pointer, bias: bias.pointer,
            x_row: firstInputRow, height: geometry.height, width: geometry.width, channels: channels,
            out_width: geometry.outputWidth, kernel: kernel, stride: geometry.stride, pad_top: geometry.padTop,
            pad_left: geometry.padLeft, activation: activation.code)
        convolve(&job, ck_range(rows))
    }
}
