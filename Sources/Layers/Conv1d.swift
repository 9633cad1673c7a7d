package import Kernels

/// Convolution along time: gathers the taps of each output frame into a row and multiplies.
package final class Conv1d: Sendable {
    package let inputChannels: Int
    package let outputChannels: Int
    package let taps: Int
    package let stride: Int
    package let padding: Int
    private let linear: Linear

    /// - Parameters:
    ///   - weights: [outputs, inputs, taps] row-major.
    ///   - bias: [outputs].
    ///   - padding: Frames of zeros before and after the input.
    package init(
        weights: [Float], bias: [Float]?, outputs: Int, inputs: Int, taps: Int, stride: Int = 1, padding: Int = 0,
        precision: Precision = .float32, instructionSet: InstructionSet = .active
    ) {
        precondition(taps >= 1 && stride >= 1 && padding >= 0, "\(taps) taps, stride \(stride), padding \(padding)")
        precondition(weights.count == outputs * inputs * taps, "\(weights.count) for [\(outputs), \(inputs), \(taps)]")
        (inputChannels, outputChannels) = (inputs, outputs)
        (self.taps, self.stride, self.padding) = (taps, stride, padding)
        // Frames lie one after the other, so the taps of an output frame are one run of [taps, inputs].
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

    package func outputFrames(_ frames: Int) -> Int {
        let padded = frames + 2 * padding
        return padded < taps ? 0 : (padded - taps) / stride + 1
    }

    /// - Parameters:
    ///   - input: [≥ frames, inputs], frames first.
    ///   - output: [≥ outputFrames(frames), outputs].
    package func callAsFunction(
        _ input: Tensor<Float>, frames: Int, into output: Tensor<Float>, activation: Activation = .none,
        pool: ThreadPool
    ) {
        precondition(input.columns == inputChannels && frames * inputChannels <= input.count, "\(input.shape)")
        let rows = outputFrames(frames)
        if rows == 0 { return }
        let gathered = Tensor<Float>(rows, taps * inputChannels, filledWith: 0)
        let rowsPerTask = 128
        pool.run((rows + rowsPerTask - 1) / rowsPerTask) { task in
            for row in task * rowsPerTask..<min((task + 1) * rowsPerTask, rows) {
                let start = row * stride - padding
                let valid = max(start, 0)..<min(start + taps, frames)
                if valid.isEmpty { continue }
                gathered.copy(
                    input, from: valid.lowerBound * inputChannels, count: valid.count * inputChannels,
                    to: (row * taps + valid.lowerBound - start) * inputChannels)
            }
        }
        linear(gathered, rows: rows, into: output, activation: activation, pool: pool)
    }
}
