package import Kernels
package import Layers

/// Quantises the matrices of another source as they are asked for: a checkpoint in 4 or 8 bits without a file of its own.
///
/// What a format cannot hold, a matrix with an inner dimension that is no multiple of 32, stays as it is; so do vectors.
package struct QuantizingTensors<Source: GemmaTensorSource>: GemmaTensorSource {
    private let source: Source
    private let format: QuantizedFormat

    /// - Parameter format: `.q4` or `.q8`.
    package init(_ source: Source, format: QuantizedFormat) {
        precondition(format == .q4 || format == .q8, "\(format) is no format of models")
        (self.source, self.format) = (source, format)
    }

    package func contains(_ name: String) -> Bool { source.contains(name) }

    package func floats(_ name: String, shape: [Int]) throws -> [Float] { try source.floats(name, shape: shape) }

    package func linear(_ part: MatrixPart) throws -> Linear {
        guard QuantizedFormat.canStore(inputs: part.keptColumns) else { return try source.linear(part) }
        let values = try source.values(of: part)
        return Linear(
            QuantizedMatrix(
                format: format, outputs: part.keptRowCount, inputs: part.keptColumns,
                bytes: QuantizedMatrix.pack(values.span, format: format, inputs: part.keptColumns)))
    }

    package func table(_ part: MatrixPart) throws -> RowTable {
        guard QuantizedFormat.canStore(inputs: part.keptColumns) else { return try source.table(part) }
        return table(try source.values(of: part), count: part.keptRowCount, columns: part.keptColumns)
    }

    package func transposedTable(_ part: MatrixPart) throws -> RowTable {
        guard QuantizedFormat.canStore(inputs: part.keptRowCount) else { return try source.transposedTable(part) }
        return table(
            try source.transposedValues(of: part), count: part.keptColumns, columns: part.keptRowCount)
    }

    private func table(_ values: [Float], count: Int, columns: Int) -> RowTable {
        RowTable(
            QuantizedRows(
                format: format, count: count, columns: columns,
                bytes: QuantizedRows.pack(values.span, format: format, columns: columns)))
    }
}
