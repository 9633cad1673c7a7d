package import Kernels

/// Convolution over a picture of [height · width, channels]: gathers the window of each output into a row and multiplies.
///
/// A 1 × 1 convolution of stride 1 needs no windows: it is a `Linear`.
package final class Conv2d: Sendable {
    package let inputChannels: Int
    package let kernel: Int
    package let stride: Int
    private let linear: Linear

    /// - Parameters:
    ///   - weights: [outputs, inputs, kernel, kernel] row-major.
    ///   - bias: [outputs].
    package init(
        weights: [Float], bias: [Float]?, outputs: Int, inputs: Int, kernel: Int, stride: Int,
        precision: Precision = .float32, instructionSet: InstructionSet = .active
    ) {
        let taps = kernel * kernel
        precondition(weights.count == outputs * inputs * taps, "\(weights.count) for [\(outputs), \(inputs), \(taps)]")
        (inputChannels, self.kernel, self.stride) = (inputs, kernel, stride)
        // Pixels lie one after the other, so a window is [taps, inputs].
        var byTap = [Float](repeating: 0, count: weights.count)
        for output in 0..<outputs {
            for input in 0..<inputs {
                for tap in 0..<taps {
                    byTap[(output * taps + tap) * inputs + input] = weights[(output * inputs + input) * taps + tap]
                }
            }
        }
        linear = Linear(
            weights: byTap, bias: bias, outputs: outputs, inputs: taps * inputs, precision: precision,
            instructionSet: instructionSet)
    }

    package var outputChannels: Int { linear.outputs }

    package func geometry(height: Int, width: Int) -> ConvolutionGeometry {
        ConvolutionGeometry(height: height, width: width, kernel: kernel, stride: stride)
    }

    /// - Parameters:
    ///   - input: [≥ height · width, inputs].
    ///   - geometry: As `geometry(height:width:)` gives it.
    ///   - windows: Scratch of [≥ outputHeight · outputWidth, kernel · kernel · inputs].
    ///   - output: [≥ outputHeight · outputWidth, outputs].
    package func callAsFunction(
        _ input: Tensor<Float>, _ geometry: ConvolutionGeometry, windows: Tensor<Float>, into output: Tensor<Float>,
        activation: Activation = .none, pool: ThreadPool
    ) {
        let rows = geometry.outputHeight * geometry.outputWidth
        pool.run(geometry.outputHeight) { row in
            geometry.gather(
                input, rows: row..<row + 1, into: windows, at: row * geometry.outputWidth)
        }
        linear(windows, rows: rows, into: output, activation: activation, pool: pool)
    }
}
