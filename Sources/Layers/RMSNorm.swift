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
        precondition(x.columns == output.columns && x.columns % width == 0, "\(x.shape), \(output.shape) by \(width)")
        let groups = x.columns / width
        pool.shareRows(rows, of: x.columns) { rows in
            for group in rows.lowerBound * groups..<rows.upperBound * groups {
                normalise(x, into: output, from: group * width, adding: adding)
            }
        }
    }

    private func normalise(_ x: Tensor<Float>, into output: Tensor<Float>, from start: Int, adding: Bool) {
        let source = x.span.extracting(start..<start + width)
        let factor = 1 / (dot(source, source) / Float(width) + epsilon).squareRoot()
        var target = output.mutableSpan(of: start..<start + width)
        // Pointers, as checked indices would keep the loops from becoming vector code.
        source.withUnsafeBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                if let weight {
                    weight.span.withUnsafeBufferPointer { weight in
                        if adding {
                            for i in 0..<width { target[i] += source[i] * factor * weight[i] }
                        } else {
                            for i in 0..<width { target[i] = source[i] * factor * weight[i] }
                        }
                    }
                } else if adding {
                    for i in 0..<width { target[i] += source[i] * factor }
                } else {
                    for i in 0..<width { target[i] = source[i] * factor }
                }
            }
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
}
