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

    /// output[i] = row rows[i] · input.
    ///
    /// - Parameters:
    ///   - input: [columns].
    ///   - output: [rows.count].
    package func dots(_ rows: Span<Int32>, with input: Span<Float>, into output: inout MutableSpan<Float>) {
        precondition(input.count == columns && output.count == rows.count, "\(input.count), \(output.count)")
        switch storage {
        case .floats(let values):
            for index in rows.indices { output[index] = dot(values.row(Int(rows[index])), input) }
        case .quantized(let table): table.dots(rows, with: input, into: &output)
        }
    }

    /// output += Σ weights[i] · row rows[i], summed in the order of `rows`, over `columns` of each row.
    ///
    /// A column's sum does not depend on the other columns, so threads can share them out.
    /// - Parameters:
    ///   - columns: From a multiple of `columnGrain` to another or the last column.
    ///   - output: [columns.count].
    package func addRows(
        _ rows: Span<Int32>, weights: Span<Float>, columns: Range<Int>, into output: inout MutableSpan<Float>
    ) {
        precondition(weights.count == rows.count && output.count == columns.count, "\(weights.count), \(output.count)")
        switch storage {
        case .floats(let values):
            for index in rows.indices {
                axpy(weights[index], values.row(Int(rows[index])).extracting(columns), into: &output)
            }
        case .quantized(let table): table.addRows(rows, weights: weights, columns: columns, into: &output)
        }
    }
}
