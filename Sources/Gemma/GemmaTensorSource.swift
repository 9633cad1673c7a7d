package import Layers

/// A matrix of the checkpoint and the part of it that is wanted. Names are those of section "text model" in the published
/// files without their prefix: `layers.3.mlp.up_proj.weight`.
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
/// Every call checks the stored shape against the one that is asked for and throws a typed error of the container.
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
