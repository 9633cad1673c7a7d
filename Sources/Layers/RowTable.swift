package import Kernels

/// A matrix of which single rows are wanted: embeddings, and the feed-forward rows that survive a sparse activation.
///
/// [count, columns]; each row lies in one piece, where a `Linear` lays its outputs side by side.
package final class RowTable: Sendable {
    private enum Storage {
        case floats(Tensor<Float>)
        case quantized(QuantizedRows)
    }

    package let count: Int
    package let columns: Int
    /// Where a row can be cut: a cache line of floats, and whole spans of quantised ones.
    package static let columnGrain = QuantizedFormat.spanInputs
    private let storage: Storage

    /// - Parameter values: [count, columns] row-major.
    package init(_ values: [Float], count: Int, columns: Int) {
        precondition(values.count == count * columns, "\(values.count) values for [\(count), \(columns)]")
        (self.count, self.columns) = (count, columns)
        storage = .floats(Tensor(values, shape: count, columns))
    }

    /// Rows that are used where they lie.
    package init(_ rows: QuantizedRows) {
        (count, columns) = (rows.count, rows.columns)
        storage = .quantized(rows)
    }

    /// - Parameter output: [columns].
    package func copyRow(_ row: Int, into output: inout MutableSpan<Float>) {
        precondition((0..<count).contains(row), "row \(row) of \(count)")
        precondition(output.count == columns, "\(output.count) for \(columns)")
        switch storage {
        case .floats(let values):
            let source = values.row(row)
            for column in source.indices { output[column] = source[column] }
        case .quantized(let rows): rows.copyRow(row, columns: 0..<columns, into: &output)
        }
    }

    /// output[m, i] = row indices[m, i] · input row m, for i < counts[m].
    ///
    /// - Parameters:
    ///   - indices: [≥ rows, n], ascending in each row.
    ///   - counts: [≥ rows].
    ///   - input: [≥ rows, columns].
    ///   - output: [≥ rows, n].
    package func dots(
        _ indices: Tensor<Int32>, counts: Tensor<Int>, with input: Tensor<Float>, rows: Int, into output: Tensor<Float>,
        pool: ThreadPool
    ) {
        precondition(input.columns == columns && output.columns == indices.columns, "\(input.shape), \(output.shape)")
        if case .quantized(let table) = storage, table.format.isQuantized, rows >= Self.manyRows {
            let rounded = ActivationShelf.take(rows: rows, inputs: columns)
            rounded.quantize(input, rows: rows, pool: pool)
            let share = (count + 4 * pool.threads - 1) / (4 * pool.threads)
            pool.run((count + share - 1) / share) { task in
                table.dots(
                    within: task * share..<min((task + 1) * share, count), of: indices, counts: counts, with: rounded,
                    inputs: rows, into: output)
            }
            ActivationShelf.put(rounded)
            return
        }
        let parts = pool.parts(of: rows)
        pool.run(rows * parts) { task in
            let (row, chosen) = (task / parts, counts[0, task / parts])
            let share = (chosen + parts - 1) / parts
            let start = row * indices.columns
            let part = start + min(task % parts * share, chosen)..<start + min((task % parts + 1) * share, chosen)
            var products = output.mutableSpan(of: part)
            dots(indices.span.extracting(part), with: input.row(row), into: &products)
        }
    }

    /// Inputs that are worth to go through the whole table for.
    private static let manyRows = 4

    private func dots(_ rows: Span<Int32>, with input: Span<Float>, into output: inout MutableSpan<Float>) {
        switch storage {
        case .floats(let values):
            for index in rows.indices { output[index] = dot(values.row(Int(rows[index])), input) }
        case .quantized(let table): table.dots(rows, with: input, into: &output)
        }
    }

    /// output[m] = Σ weights[m, i] · row indices[m, i] for i < counts[m], summed in their order.
    ///
    /// - Parameters:
    ///   - indices: [≥ rows, n].
    ///   - weights: Like indices.
    ///   - counts: [≥ rows].
    ///   - output: [≥ rows, columns].
    package func sums(
        _ indices: Tensor<Int32>, weights: Tensor<Float>, counts: Tensor<Int>, rows: Int, into output: Tensor<Float>,
        pool: ThreadPool
    ) {
        precondition(output.columns == columns && weights.columns == indices.columns, "\(weights.shape)")
        let parts = pool.parts(of: rows)
        let grains = (columns + Self.columnGrain - 1) / Self.columnGrain
        let share = (grains + parts - 1) / parts * Self.columnGrain
        pool.run(rows * parts) { task in
            let row = task / parts
            let part = min(task % parts * share, columns)..<min((task % parts + 1) * share, columns)
            if part.isEmpty { return }  // more threads than grains
            let chosen = row * indices.columns..<row * indices.columns + counts[0, row]
            var target = output.mutableSpan(of: row * columns + part.lowerBound..<row * columns + part.upperBound)
            for column in target.indices { target[column] = 0 }
            addRows(
                indices.span.extracting(chosen), weights: weights.span.extracting(chosen), columns: part, into: &target)
        }
    }

    /// A column's sum does not depend on the other columns: threads share them out.
    private func addRows(
        _ rows: Span<Int32>, weights: Span<Float>, columns: Range<Int>, into output: inout MutableSpan<Float>
    ) {
        switch storage {
        case .floats(let values):
            for index in rows.indices {
                axpy(weights[index], values.row(Int(rows[index])).extracting(columns), into: &output)
            }
        case .quantized(let table): table.addRows(rows, weights: weights, columns: columns, into: &output)
        }
    }
}

extension ThreadPool {
    /// With few rows the threads share each of them.
    fileprivate func parts(of rows: Int) -> Int { rows >= 2 * threads ? 1 : threads }
}
