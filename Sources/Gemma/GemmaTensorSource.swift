import Kernels
package import Layers

/// A matrix of the checkpoint and the part of it that is wanted. Names are those of the published
/// files without the prefix of the text model: `layers.3.mlp.up_proj.weight`.
package struct MatrixPart: Sendable {
    package let name: String
    /// As stored: [outputs, inputs].
    package let rows: Int
    package let columns: Int
    /// The rows that are wanted, in this order.
    package let keptRows: [Range<Int>]
    /// Of these the first columns.
    package let keptColumns: Int

    package init(_ name: String, rows: Int, columns: Int, keptRows: [Range<Int>]? = nil, keptColumns: Int? = nil) {
        (self.name, self.rows, self.columns) = (name, rows, columns)
        self.keptRows = keptRows ?? [0..<rows]
        self.keptColumns = keptColumns ?? columns
    }

    package var keptRowCount: Int { keptRows.reduce(0) { $0 + $1.count } }
}

/// Where the decoder's tensors come from: a folder of safetensors, or a quantised file.
///
/// Every call checks the stored shape against the one that is asked for and throws a typed error of the container. A
/// source that has nothing but floats gives only these; matrices are made of them in float32.
package protocol GemmaTensorSource {
    /// A vector or a small matrix, row-major.
    func floats(_ name: String, shape: [Int]) throws -> [Float]
    /// For dense products.
    func linear(_ part: MatrixPart) throws -> Linear
    /// For gathering rows.
    func table(_ part: MatrixPart) throws -> RowTable
    /// For gathering columns: row i of the table is column i of the matrix.
    func transposedTable(_ part: MatrixPart) throws -> RowTable
}

extension GemmaTensorSource {
    package func linear(_ part: MatrixPart) throws -> Linear {
        Linear(
            weights: try values(of: part), bias: nil, outputs: part.keptRowCount, inputs: part.keptColumns,
            precision: .float32)
    }

    package func table(_ part: MatrixPart) throws -> RowTable {
        RowTable(try values(of: part), count: part.keptRowCount, columns: part.keptColumns)
    }

    package func transposedTable(_ part: MatrixPart) throws -> RowTable {
        RowTable(try transposedValues(of: part), count: part.keptColumns, columns: part.keptRowCount)
    }

    /// The transpose of the wanted part.
    func transposedValues(of part: MatrixPart) throws -> [Float] {
        let values = try values(of: part)
        let (rows, columns) = (part.keptRowCount, part.keptColumns)
        var transposed = [Float](repeating: 0, count: values.count)
        for row in 0..<rows {
            for column in 0..<columns { transposed[column * rows + row] = values[row * columns + column] }
        }
        return transposed
    }

    /// The wanted part of a matrix, row-major.
    package func values(of part: MatrixPart) throws -> [Float] {
        let all = try floats(part.name, shape: [part.rows, part.columns])
        if part.keptRows == [0..<part.rows], part.keptColumns == part.columns { return all }
        var kept: [Float] = []
        kept.reserveCapacity(part.keptRowCount * part.keptColumns)
        for row in part.keptRows.joined() { kept += all[row * part.columns..<row * part.columns + part.keptColumns] }
        return kept
    }
}
