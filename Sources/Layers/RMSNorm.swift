package import Kernels

/// x / √(mean(x²) + ε) · w over groups of `width` neighbours: whole rows, or the heads in them.
package final class RMSNorm: Sendable {
    private let width: Int
    private let weight: Tensor<Float>?
    private let epsilon: Float

    /// - Parameter weight: [width].
    package init(weight: [Float], epsilon: Float) {
        width = weight.count
        self.weight = Tensor(weight, shape: weight.count)
        self.epsilon = epsilon
    }

    /// Without a learned scale.
    package init(width: Int, epsilon: Float) {
        self.width = width
        weight = nil
        self.epsilon = epsilon
    }

    /// - Parameters:
    ///   - x: [≥ rows, columns], columns a multiple of `width`.
    ///   - output: Like x; may be x.
    ///   - adding: Adds to what `output` holds.
    package func callAsFunction(
        _ x: Tensor<Float>, rows: Int, into output: Tensor<Float>, adding: Bool = false, pool: ThreadPool
    ) {
        pool.shareRows(rows, of: x.columns) { rows in
            rmsNorm(x, rows: rows, width: width, weight: weight, epsilon: epsilon, into: output, adding: adding)
        }
    }

    /// GELU of the norm, in the tanh form; of a norm with a learned scale over whole rows.
    /// - Parameters: As above.
    package func gelu(_ x: Tensor<Float>, rows: Int, into output: Tensor<Float>, pool: ThreadPool) {
        guard let weight, width == x.columns else { preconditionFailure("\(width) of \(x.columns), or no weight") }
        pool.shareRows(rows, of: x.columns) { rows in
            rmsNormGELU(x, rows: rows, weight: weight, epsilon: epsilon, into: output)
        }
    }
}
