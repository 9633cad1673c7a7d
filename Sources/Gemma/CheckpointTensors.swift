internal import Foundation
internal import Kernels
package import Layers
package import Weights

/// The tensors of a safetensors checkpoint as float32. Unused ones are not looked at.
package struct CheckpointTensors: GemmaTensorSource {
    private let checkpoint: Checkpoint
    private let prefix: String

    /// Files differ in the prefix of the text model; one tensor that only it has tells which it is.
    /// - Throws: `GemmaError.badTensors`.
    package init(_ checkpoint: Checkpoint) throws(GemmaError) {
        let mark = "embed_tokens_per_layer.weight"
        let found = checkpoint.names.filter { $0 == mark || $0.hasSuffix("." + mark) }
        guard let name = found.first, found.count == 1 else {
            let reason = found.isEmpty ? "it has no '\(mark)'" : "it has \(found.count) tensors '...\(mark)'"
            throw .badTensors(file: checkpoint.path, reason: reason)
        }
        self.checkpoint = checkpoint
        prefix = String(name.dropLast(mark.count))
    }

    package func floats(_ name: String, shape: [Int]) throws -> [Float] {
        try checkpoint.floats(prefix + name, shape: shape)
    }

    package func linear(_ part: MatrixPart) throws -> Linear {
        Linear(
            weights: try values(part), bias: nil, outputs: part.keptRowCount, inputs: part.keptColumns,
            precision: .float32)
    }

    package func table(_ part: MatrixPart) throws -> RowTable {
        RowTable(try values(part), count: part.keptRowCount, columns: part.keptColumns)
    }

    package func transposedTable(_ part: MatrixPart) throws -> RowTable {
        let values = try values(part)
        let (rows, columns) = (part.keptRowCount, part.keptColumns)
        var transposed = [Float](repeating: 0, count: values.count)
        for row in 0..<rows {
            for column in 0..<columns { transposed[column * rows + row] = values[row * columns + column] }
        }
        return RowTable(transposed, count: columns, columns: rows)
    }

    private func values(_ part: MatrixPart) throws -> [Float] {
        let all = try floats(part.name, shape: [part.rows, part.columns])
        if part.keptRowCount == part.rows, part.keptRows.count == 1, part.keptColumns == part.columns { return all }
        var kept: [Float] = []
        kept.reserveCapacity(part.keptRowCount * part.keptColumns)
        for row in part.keptRows.joined() { kept += all[row * part.columns..<row * part.columns + part.keptColumns] }
        return kept
    }
}
