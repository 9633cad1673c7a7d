/// The weights of Silero VAD for 16 kHz (release 5 and 6), immutable and shared by all streams.
package struct SileroWeights: Sendable {
    let spectrum: PackedLinear  // [real 129, imaginary 129] × 256 samples
    let convolutions: [PackedLinear]  // 129 → 128 → 64 → 64 → 128 channels, columns [tap, channel]
    let recurrent: PackedLinear  // gates [input, forget, cell, output] × 128 of [x, h]
    let decision: [Float]  // [128]
    let decisionBias: Float

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
        /// A convolution of three taps, of which those in `taps` meet input.
        func convolution(_ name: String, _ inputs: Int, _ outputs: Int, taps: ClosedRange<Int> = 0...2) throws
            -> PackedLinear
        {
            let weight = try values("\(name).weight", outputs, inputs, 3)
            let bias = try values("\(name).bias", outputs)
            return PackedLinear(rows: outputs, inputs: inputs * taps.count, bias: bias) { output, column in
                weight[(output * inputs + column % inputs) * 3 + taps.lowerBound + column / inputs]
            }
        }
        let basis = try values("stft_conv.weight", 258, 1, 256)
        spectrum = PackedLinear(rows: 258, inputs: 256, bias: []) { basis[$0 * 256 + $1] }
        convolutions = [
            try convolution("conv1", 129, 128), try convolution("conv2", 128, 64), try convolution("conv3", 64, 64),
            // Its input is a single frame: the outer taps only ever see padding.
            try convolution("conv4", 64, 128, taps: 1...1)
        ]
        let (inputWeight, stateWeight) = (
            try values("lstm_cell.weight_ih", 512, 128), try values("lstm_cell.weight_hh", 512, 128)
        )
        let (inputBias, stateBias) = (
            try values("lstm_cell.bias_ih", 512), try values("lstm_cell.bias_hh", 512)
        )
        recurrent = PackedLinear(rows: 512, inputs: 256, bias: zip(inputBias, stateBias).map(+)) { gate, column in
            column < 128 ? inputWeight[gate * 128 + column] : stateWeight[gate * 128 + column - 128]
        }
        decision = try values("final_conv.weight", 1, 128, 1)
        decisionBias = try values("final_conv.bias", 1)[0]
    }
}
