import Kernels
import Layers

/// The weights of Silero VAD for 16 kHz (release 5 and 6), immutable and shared by all streams.
package struct SileroWeights: Sendable {
    let spectrum: Conv1d  // 1 → [real 129, imaginary 129], 256 taps every 128 samples
    let convolutions: [Conv1d]  // 129 → 128 → 64 → 64 → 128 channels, three taps
    let recurrent: LSTMCell  // 128 → 128
    let decision: Linear  // 128 → 1

    /// - Parameter tensor: the values of a named tensor of the published checkpoint, row-major; the shape says what is
    ///   expected.
    /// - Throws: what `tensor` throws, or `SileroError.wrongSize` where it gives another number of values.
    package init(_ tensor: (_ name: String, _ shape: [Int]) throws -> [Float]) throws {
        func values(_ name: String, _ shape: Int...) throws -> [Float] {
            let values = try tensor(name, shape)
            guard values.count == shape.reduce(1, *) else {
                throw SileroError.wrongSize(tensor: name, expected: shape, found: values.count)
            }
            return values
        }
        func convolution(_ name: String, _ inputs: Int, _ outputs: Int, stride: Int = 1) throws -> Conv1d {
            Conv1d(
                weights: try values("\(name).weight", outputs, inputs, 3), bias: try values("\(name).bias", outputs),
                outputs: outputs, inputs: inputs, taps: 3, stride: stride, padding: 1)
        }
        spectrum = Conv1d(
            weights: try values("stft_conv.weight", 258, 1, 256), bias: nil, outputs: 258, inputs: 1, taps: 256,
            stride: 128)
        convolutions = [
            try convolution("conv1", 129, 128), try convolution("conv2", 128, 64, stride: 2),
            try convolution("conv3", 64, 64, stride: 2), try convolution("conv4", 64, 128)
        ]
        recurrent = LSTMCell(
            weightsInput: try values("lstm_cell.weight_ih", 512, 128),
            weightsHidden: try values("lstm_cell.weight_hh", 512, 128),
            biasInput: try values("lstm_cell.bias_ih", 512), biasHidden: try values("lstm_cell.bias_hh", 512),
            inputs: 128, hidden: 128)
        decision = Linear(
            weights: try values("final_conv.weight", 1, 128, 1), bias: try values("final_conv.bias", 1), outputs: 1,
            inputs: 128, precision: .float32)
    }
}
