internal import CKernels

/// Which inputs an output of a convolution sees: TensorFlow's "same" padding.
///
/// outputs = ceil(inputs / stride); the zeros needed are put half before and half after, the odd one after.
package struct ConvolutionGeometry: Equatable, Sendable {
    package let height, width: Int
    package let kernel, stride: Int
    package let outputHeight, outputWidth: Int
    let padTop, padLeft: Int

    package init(height: Int, width: Int, kernel: Int, stride: Int) {
        precondition(
            height >= 1 && width >= 1 && kernel >= 1 && stride >= 1, "\(height), \(width), \(kernel), \(stride)")
        (self.height, self.width, self.kernel, self.stride) = (height, width, kernel, stride)
        (outputHeight, outputWidth) = ((height + stride - 1) / stride, (width + stride - 1) / stride)
        padTop = max((outputHeight - 1) * stride + kernel - height, 0) / 2
        padLeft = max((outputWidth - 1) * stride + kernel - width, 0) / 2
    }

    /// The input rows that output rows `rows` see.
    package func inputRows(of rows: Range<Int>) -> Range<Int> {
        let first = max(rows.lowerBound * stride - padTop, 0)
        return first..<max(first, min((rows.upperBound - 1) * stride - padTop + kernel, height))
    }

    /// Gathers the windows of output rows `rows`: [rows · outputWidth, kernel · kernel · channels], tap by tap.
    /// - Parameters:
    ///   - input: [≥ height · width, channels].
    ///   - windows: They go to its rows from `row` on.
    package func gather(_ input: Tensor<Float>, rows: Range<Int>, into windows: Tensor<Float>, at row: Int = 0) {
        precondition(height * width * input.columns <= input.count, "\(input.shape) for \(height) x \(width)")
        precondition(windows.columns == kernel * kernel * input.columns, "\(windows.shape)")
        precondition(rows.lowerBound >= 0 && rows.upperBound <= outputHeight, "\(rows) of \(outputHeight)")
        precondition(
            (row + rows.count * outputWidth) * windows.columns <= windows.count, "\(rows) into \(windows.shape)")
        var job = ck_windows(
            x: input.pointer, height: height, width: width, channels: input.columns, out_width: outputWidth,
            kernel: kernel, stride: stride, pad_top: padTop, pad_left: padLeft)
        ck_gather_windows(&job, ck_range(rows), windows.pointer + row * windows.columns)
    }
}
