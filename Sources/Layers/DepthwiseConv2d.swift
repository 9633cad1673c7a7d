package import Kernels

/// Depthwise convolution over a picture of [height · width, channels], shared out by rows.
package final class DepthwiseConv2d: Sendable {
    package let stride: Int
    private let filter: DepthwiseFilter

    /// - Parameters:
    ///   - weights: [channels, kernel, kernel] row-major.
    ///   - bias: [channels].
    ///   - kernel: 3 or 5.
    ///   - stride: 1 or 2.
    package init(
        weights: [Float], bias: [Float]?, channels: Int, kernel: Int, stride: Int,
        instructionSet: InstructionSet = .active
    ) {
        precondition(DepthwiseFilter.strides.contains(stride), "stride \(stride)")
        self.stride = stride
        filter = DepthwiseFilter(
            weights: weights, bias: bias, channels: channels, kernel: kernel, instructionSet: instructionSet)
    }

    package var channels: Int { filter.channels }

    package func geometry(height: Int, width: Int) -> ConvolutionGeometry {
        ConvolutionGeometry(height: height, width: width, kernel: filter.kernel, stride: stride)
    }

    /// - Parameters:
    ///   - input: [≥ height · width, channels].
    ///   - geometry: As `geometry(height:width:)` gives it.
    ///   - output: [≥ outputHeight · outputWidth, channels]; not `input`.
    package func callAsFunction(
        _ input: Tensor<Float>, _ geometry: ConvolutionGeometry, into output: Tensor<Float>,
        activation: Activation = .none, pool: ThreadPool
    ) {
        let rowsPerTask = 2
        pool.run((geometry.outputHeight + rowsPerTask - 1) / rowsPerTask) { task in
            let rows = task * rowsPerTask..<min((task + 1) * rowsPerTask, geometry.outputHeight)
            filter.apply(
                input, geometry: geometry, rows: rows, into: output, at: rows.lowerBound * geometry.outputWidth,
                activation: activation)
        }
    }
}
