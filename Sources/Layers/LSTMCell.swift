package import Kernels

/// One layer of long short-term memory, a step at a time (PyTorch's `LSTMCell`; gates in the order i, f, g, o).
package final class LSTMCell: Sendable {
    /// What a stream carries from step to step, with the buffers of a step.
    package final class State {
        /// [H]: what the cell remembers.
        package let cell: Tensor<Float>
        /// [H]: the output of the last step.
        package let hidden: Tensor<Float>
        fileprivate let joined: Tensor<Float>  // [1, I + H]: the two inputs of a step
        fileprivate let gates: Tensor<Float>  // [1, 4H]

        fileprivate init(inputs: Int, hidden: Int) {
            cell = Tensor(hidden, filledWith: 0)
            self.hidden = Tensor(hidden, filledWith: 0)
            joined = Tensor(1, inputs + hidden, filledWith: 0)
            gates = Tensor(1, 4 * hidden, filledWith: 0)
        }

        /// Back to zeros.
        package func reset() {
            cell.fill(0)
            hidden.fill(0)
        }
    }

    package let inputs: Int
    package let hidden: Int
    private let linear: Linear  // [4H, I + H]: both products in one
    private let instructionSet: InstructionSet

    /// - Parameters:
    ///   - weightsInput: [4H, I].
    ///   - weightsHidden: [4H, H].
    ///   - biasInput: [4H].
    ///   - biasHidden: [4H].
    package init(
        weightsInput: [Float], weightsHidden: [Float], biasInput: [Float], biasHidden: [Float], inputs: Int,
        hidden: Int, instructionSet: InstructionSet = .active
    ) {
        precondition(weightsInput.count == 4 * hidden * inputs, "\(weightsInput.count) for [\(4 * hidden), \(inputs)]")
        precondition(weightsHidden.count == 4 * hidden * hidden, "\(weightsHidden.count) for \(hidden) hidden")
        precondition(biasInput.count == 4 * hidden && biasHidden.count == 4 * hidden, "\(biasInput.count) biases")
        (self.inputs, self.hidden) = (inputs, hidden)
        self.instructionSet = instructionSet
        var joined: [Float] = []
        joined.reserveCapacity(4 * hidden * (inputs + hidden))
        for gate in 0..<4 * hidden {
            joined += weightsInput[gate * inputs..<(gate + 1) * inputs]
            joined += weightsHidden[gate * hidden..<(gate + 1) * hidden]
        }
        linear = Linear(
            weights: joined, bias: zip(biasInput, biasHidden).map { $0 + $1 }, outputs: 4 * hidden,
            inputs: inputs + hidden, precision: .float32, instructionSet: instructionSet)
    }

    package func makeState() -> State { State(inputs: inputs, hidden: hidden) }

    /// Advances `state` by one input; `state.hidden` is the output.
    /// - Parameter input: [I].
    package func step(_ input: Span<Float>, state: State) {
        precondition(input.count == inputs, "\(input.count) inputs for \(inputs)")
        state.joined.copy(input, to: 0)
        state.joined.copy(state.hidden, from: 0, count: hidden, to: inputs)
        linear(state.joined, rows: 1, into: state.gates, pool: .single)
        lstmGates(state.gates, cell: state.cell, hidden: state.hidden, on: instructionSet)
    }
}
