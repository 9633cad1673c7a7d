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

extension ThreadPool {
    /// Numbers per task of an elementwise loop: about 5 µs, well above the cost of waking a thread.
    private static let numbersPerTask = 32_768

    /// Shares out `rows` of `columns` numbers in runs that are worth a thread.
    package func shareRows(_ rows: Int, of columns: Int, _ body: (Range<Int>) -> Void) {
        let rowsPerTask = max(1, Self.numbersPerTask / max(columns, 1))
        run((rows + rowsPerTask - 1) / rowsPerTask) { task in
            body(task * rowsPerTask..<min((task + 1) * rowsPerTask, rows))
        }
    }

    /// Calls `body` with runs of `count` numbers, each of which takes as long as `cost` simple ones.
    package func shareNumbers(_ count: Int, cost: Int, _ body: (Range<Int>) -> Void) {
        let perTask = max(1, Self.numbersPerTask / cost)
        run((count + perTask - 1) / perTask) { task in
            body(task * perTask..<min((task + 1) * perTask, count))
        }
    }
}
