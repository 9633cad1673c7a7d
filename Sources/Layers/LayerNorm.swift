package import Kernels

/// (x - mean) / √(variance + ε) · γ + β over each row.
package final class LayerNorm: Sendable {
    private let gamma: Tensor<Float>
    private let beta: Tensor<Float>
    private let epsilon: Float
    private let instructionSet: InstructionSet

    package init(
        gamma: [Float], beta: [Float], epsilon: Float = 1e-5, instructionSet: InstructionSet = .active
    ) {
        precondition(gamma.count == beta.count && !gamma.isEmpty, "\(gamma.count) and \(beta.count)")
        self.gamma = Tensor(gamma, shape: gamma.count)
        self.beta = Tensor(beta, shape: beta.count)
        self.epsilon = epsilon
        self.instructionSet = instructionSet
    }

    /// - Parameters:
    ///   - x: [≥ rows, columns].
    ///   - output: Like x; may be x.
    package func callAsFunction(_ x: Tensor<Float>, rows: Int, into output: Tensor<Float>, pool: ThreadPool) {
        let rowsPerTask = 64  // 64 × 384 × 4 B = 96 KB: enough work to be worth handing out
        pool.run((rows + rowsPerTask - 1) / rowsPerTask) { task in
            let first = task * rowsPerTask
            layerNorm(
                x, rows: first..<min(first + rowsPerTask, rows), gamma: gamma, beta: beta, epsilon: epsilon,
                into: output, on: instructionSet)
        }
    }
}
