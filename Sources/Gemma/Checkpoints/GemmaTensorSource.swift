import Kernels
package import Layers

/// A matrix of the checkpoint and the part of it that is wanted. Names are those of the published
/// files without the prefix of the text model: `layers.3.mlp.up_proj.weight`.
package struct MatrixPart: Sendable {
    package let name: String
    /// As stored: [outputs, inputs].
    package let rows: Int
    package let columns: Int
    /// The rows that are wanted, in this order; neighbours joined.
    package let keptRows: [Range<Int>]
    /// Of these the first columns.
    package let keptColumns: Int
    /// Of the stored tensor.
    let shape: [Int]

    /// - Parameter shape: [rows, columns] unless the tensor has further axes.
    package init(
        _ name: String, rows: Int, columns: Int, keptRows: [Range<Int>]? = nil, keptColumns: Int? = nil,
        shape: [Int]? = nil
    ) {
        (self.name, self.rows, self.columns) = (name, rows, columns)
        self.shape = shape ?? [rows, columns]
        self.keptRows = (keptRows ?? [0..<rows]).reduce(into: []) { joined, range in
            if let last = joined.last, last.upperBound == range.lowerBound {
                joined[joined.count - 1] = last.lowerBound..<range.upperBound
            } else {
                joined.append(range)
            }
        }
        self.keptColumns = keptColumns ?? columns
    }

    package var keptRowCount: Int { keptRows.reduce(0) { $0 + $1.count } }

    /// A convolution as a matrix over windows of interleaved pixels: columns are [kernel · kernel, inputs], where the tensor is
    /// [outputs, inputs, kernel, kernel].
    package static func convolution(_ name: String, outputs: Int, inputs: Int, kernel: Int) -> MatrixPart {
        MatrixPart(
            name, rows: outputs, columns: inputs * kernel * kernel, shape: [outputs, inputs, kernel, kernel])
    }

    /// Taps of a convolution's window; 1 for other matrices.
    var taps: Int { shape.count == 4 ? shape[2] * shape[3] : 1 }
}

/// Where the decoder's tensors come from: a folder of safetensors, or a quantised file.
///
/// Every call checks the stored shape against the one that is asked for and throws a typed error of the container. A
/// source that has nothing but floats gives only these; matrices are made of them in float32.
package protocol GemmaTensorSource {
    /// Whether there is such a tensor; asked only for those that not every model has.
    func contains(_ name: String) -> Bool
    /// A vector or a small matrix, row-major.
    func floats(_ name: String, shape: [Int]) throws -> [Float]
    /// Some rows, by the outermost axis: [rows.count, what the other axes hold].
    func rows(_ rows: Range<Int>, of name: String, shape: [Int]) throws -> [Float]
    /// For dense products.
    func linear(_ part: MatrixPart) throws -> Linear
    /// For embeddings and logits.
    func head(_ part: MatrixPart) throws -> OutputHead
    /// For gathering rows.
    func table(_ part: MatrixPart) throws -> RowTable
    /// For gathering columns: row i of the table is column i of the matrix.
    func transposedTable(_ part: MatrixPart) throws -> RowTable
}

extension GemmaTensorSource {
    package func contains(_ name: String) -> Bool { true }

    package func rows(_ rows: Range<Int>, of name: String, shape: [Int]) throws -> [Float] {
        let values = try floats(name, shape: shape)
        let columns = shape.dropFirst().reduce(1, *)
        return Array(values[rows.lowerBound * columns..<rows.upperBound * columns])
    }

    package func linear(_ part: MatrixPart) throws -> Linear {
        Linear(
            weights: try values(of: part), bias: nil, outputs: part.keptRowCount, inputs: part.keptColumns,
            precision: .float32)
    }

    package func head(_ part: MatrixPart) throws -> OutputHead { OutputHead(try linear(part)) }

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
        let shape = part.shape
        if part.keptRows.count == 1, part.keptColumns == part.columns {
            let values = try rows(part.keptRows[0], of: part.name, shape: shape)
            return part.taps == 1 ? values : byTaps(values, taps: part.taps, inputs: shape[1])
        }
        var kept: [Float] = []
        kept.reserveCapacity(part.keptRowCount * part.keptColumns)
        for range in part.keptRows {
            let values = try rows(range, of: part.name, shape: shape)
            for row in 0..<range.count { kept += values[row * part.columns..<row * part.columns + part.keptColumns] }
        }
        return kept
    }
}

/// Rows [inputs, taps] of a convolution as [taps, inputs].
func byTaps(_ values: [Float], taps: Int, inputs: Int) -> [Float] {
    let columns = taps * inputs
    var turned = [Float](repeating: 0, count: values.count)
    for row in stride(from: 0, to: values.count, by: columns) {
        for tap in 0..<taps {
            for input in 0..<inputs { turned[row + tap * inputs + input] = values[row + input * taps + tap] }
        }
    }
    return turned
}

/// All tensors of a checkpoint, unquantised: what a file of our own is made of.
package protocol GemmaStoredTensors: GemmaTensorSource, Sendable {
    var names: [String] { get }
    /// - Throws: A typed error of the container.
    func shape(of name: String) throws -> [Int]
    /// Whether it is stored in 32 bits or more, or in blocks, so that 16 bits would lose some.
    func isWide(_ name: String) -> Bool
    /// The tensor will not be read again soon: its mapped pages need not stay.
    func isDone(with name: String)
}
