package import Kernels

/// y = x Wᵀ + b, the layer under all others.
///
/// Building blocks of networks live in this module. Activations are `Tensor<Float>` of [rows, columns], of which a call uses
/// the first `rows`; weights are packed when a layer is made, or quantised and mapped from a file; the threads are passed in.
/// Results depend neither on the number of threads nor on which rows are computed together.
/// ```
/// x [M, K] ─► Linear ─► [M, 3HD] ─► BidirectionalAttention | KVCache | CrossAttention ─► [M, HD] ─► Linear ─► ...
/// ```
package final class Linear: Sendable {
    enum Weights {
        case packed(PackedMatrix)
        case quantized(QuantizedMatrix)
    }

    let weights: Weights

    /// - Parameters:
    ///   - weights: [outputs, inputs] row-major.
    ///   - bias: [outputs].
    package init(
        weights: [Float], bias: [Float]?, outputs: Int, inputs: Int, precision: Precision,
        instructionSet: InstructionSet = .active
    ) {
        self.weights = .packed(
            PackedMatrix(
                weights: weights, bias: bias, outputs: outputs, inputs: inputs, precision: precision,
                instructionSet: instructionSet))
    }

    /// Weights that are used where they lie.
    package init(_ matrix: QuantizedMatrix) { weights = .quantized(matrix) }

    package var inputs: Int {
        switch weights {
        case .packed(let matrix): matrix.inputs
        case .quantized(let matrix): matrix.inputs
        }
    }

    package var outputs: Int {
        switch weights {
        case .packed(let matrix): matrix.outputs
        case .quantized(let matrix): matrix.outputs
        }
    }

    /// - Parameters:
    ///   - input: [≥ rows, inputs].
    ///   - output: [≥ rows, outputs]; not `input`.
    ///   - adding: Adds to what `output` holds (a residual); only without activation.
    package func callAsFunction(
        _ input: Tensor<Float>, rows: Int, into output: Tensor<Float>, activation: Activation = .none,
        adding: Bool = false, pool: ThreadPool
    ) {
        Linear.apply(
            [Product(self, into: output, activation: activation, adding: adding)], to: input, rows: rows, pool: pool)
    }

    /// The weights of one output, as they take part in products: an output matrix that doubles as an embedding table.
    /// - Parameter row: [inputs].
    package func copyWeights(ofOutput output: Int, into row: inout MutableSpan<Float>) {
        switch weights {
        case .packed(let matrix): matrix.copyWeights(ofOutput: output, into: &row)
        case .quantized(let matrix): matrix.copyWeights(ofOutput: output, into: &row)
        }
    }
}
