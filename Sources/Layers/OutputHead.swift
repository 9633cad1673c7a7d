internal import Glibc
package import Kernels

/// The matrix at both ends of a language model: embeddings of tokens, and how well each of them follows.
///
/// With a sketch in 2 bits beside it, the largest product is found without reading most of it:
/// ```
/// x ─► sketch ─► estimates ─► those that may be the largest ─► rows of the matrix ─► their products
/// ```
/// An estimate is off by x · (what the lower bits hold), whose standard deviation is √1.25 · ‖x‖ · the row's step if these bits
/// are spread evenly, as they are. What lies further than `deviations` of them below the largest product is not looked at:
/// that it were larger all the same has a probability of 3e-7.
package final class OutputHead: Sendable {
    private enum Weights {
        case plain(Linear)
        case sketched(QuantizedRows, sketch: Linear, steps: Tensor<Float>)
    }

    private static let deviations: Float = 5
    /// Products of this many rows are a task: 70 KB of weights of a wide model.
    private static let taskRows = 64
    /// The row is searched in this many parts, and in these for runs of numbers.
    private static let searches = 64
    private static let grain = 64

    package let outputs: Int
    private let weights: Weights

    package init(_ linear: Linear) {
        (outputs, weights) = (linear.outputs, .plain(linear))
    }

    /// - Parameters:
    ///   - rows: The matrix, in `.q4`.
    ///   - sketch: The same in `.q2`.
    package init(_ rows: QuantizedRows, sketch: QuantizedMatrix) {
        precondition(rows.format == .q4 && sketch.format == .q2, "\(rows.format) and \(sketch.format)")
        precondition(
            rows.count == sketch.outputs && rows.columns == sketch.inputs, "[\(rows.count), \(rows.columns)]")
        outputs = rows.count
        weights = .sketched(rows, sketch: Linear(sketch), steps: Tensor(sketch.steps(), shape: rows.count))
    }

    /// The weights of one output, as they take part in products.
    /// - Parameter row: [inputs].
    package func copyWeights(ofOutput output: Int, into row: inout MutableSpan<Float>) {
        switch weights {
        case .plain(let linear): linear.copyWeights(ofOutput: output, into: &row)
        case .sketched(let rows, _, _): rows.copyRow(output, columns: 0..<rows.columns, into: &row)
        }
    }

    /// All products.
    ///
    /// - Parameters:
    ///   - input: [≥ rows, inputs].
    ///   - output: [≥ rows, outputs].
    package func callAsFunction(_ input: Tensor<Float>, rows: Int, into output: Tensor<Float>, pool: ThreadPool) {
        switch weights {
        case .plain(let linear): linear(input, rows: rows, into: output, pool: pool)
        case .sketched(let table, _, _):
            pool.run((outputs + Self.taskRows - 1) / Self.taskRows) { task in
                let some = task * Self.taskRows..<min((task + 1) * Self.taskRows, outputs)
                let indices = some.map { Int32($0) }
                for row in 0..<rows {
                    let start = row * outputs
                    var products = output.mutableSpan(of: start + some.lowerBound..<start + some.upperBound)
                    table.dots(indices.span, with: input.row(row), into: &products)
                }
            }
        }
    }

    /// The largest products, and all that come near them; the others are estimates where there is a sketch, and smaller.
    ///
    /// - Parameters: As for all products.
    package func largest(_ input: Tensor<Float>, rows: Int, into output: Tensor<Float>, pool: ThreadPool) {
        guard case .sketched(let table, let sketch, let steps) = weights else {
            return self(input, rows: rows, into: output, pool: pool)
        }
        sketch(input, rows: rows, into: output, pool: pool)
        for row in 0..<rows {
            refine(output, row: row, of: table, with: input.row(row), steps: steps.span, pool: pool)
        }
    }

    /// Puts products where estimates are not far enough from the largest one.
    private func refine(
        _ output: Tensor<Float>, row: Int, of table: QuantizedRows, with x: Span<Float>, steps: Span<Float>,
        pool: ThreadPool
    ) {
        let start = row * outputs
        let share = (outputs + Self.searches - 1) / Self.searches
        let parts = stride(from: 0, to: outputs, by: share).map { $0..<min($0 + share, outputs) }
        let tops = Tensor<Int32>(parts.count, filledWith: 0)
        pool.run(parts.count) { part in
            var span = tops.mutableSpan(of: part..<part + 1)
            span[0] = Int32(parts[part].lowerBound + largestIndex(output.row(row).extracting(parts[part])))
        }
        var products = [Float](repeating: 0, count: parts.count)
        var target = products.mutableSpan
        table.dots(tops.span, with: x, into: &target)
        let largest = products.reduce(-.infinity) { max($0, $1) }
        let margin = Self.deviations * (1.25 * dot(x, x)).squareRoot()
        pool.run(parts.count) { part in
            let bounds = parts[part]
            let near = nearIndices(
                output.row(row).extracting(bounds), steps: steps.extracting(bounds), margin: margin, floor: largest,
                first: bounds.lowerBound)
            var products = [Float](repeating: 0, count: near.count)
            var target = products.mutableSpan
            table.dots(near.span, with: x, into: &target)
            var all = output.mutableSpan(of: start + bounds.lowerBound..<start + bounds.upperBound)
            for (index, product) in zip(near, products) { all[Int(index) - bounds.lowerBound] = product }
        }
    }

    /// The indices, counted from `first`, whose estimate reaches `floor` with its margin.
    private func nearIndices(
        _ estimates: Span<Float>, steps: Span<Float>, margin: Float, floor: Float, first: Int
    ) -> [Int32] {
        var near: [Int32] = []
        var limits = [Float](repeating: 0, count: estimates.count)
        var target = limits.mutableSpan
        for index in estimates.indices { target[index] = estimates[index] }
        axpy(margin, steps, into: &target)
        for start in stride(from: 0, to: limits.count, by: Self.grain) {
            let some = start..<min(start + Self.grain, limits.count)
            guard maximum(limits.span.extracting(some)) >= floor else { continue }
            for index in some where limits[index] >= floor { near.append(Int32(first + index)) }
        }
        return near
    }
}
