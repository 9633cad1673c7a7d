import Kernels
package import Layers
package import Weights

/// The tensors of a folder in Hugging Face form, as float32, under the names that all sources use.
///
/// Names are those of the published files without what stands in front: `layers.3.mlp.up_proj.weight` of the text
/// model, `audio_tower.…`, `vision_tower.…`, `embed_audio.…`, `embed_vision.…` of the others. Unused ones are not looked at.
package struct CheckpointTensors: GemmaStoredTensors {
    /// What names of the audio and vision encoders begin with.
    private static let encoders = ["audio_tower.", "vision_tower.", "embed_audio.", "embed_vision."]

    private let checkpoint: Checkpoint
    private let stored: [String: String]  // name → name in the file
    private let prefix: String  // of the text model

    /// Files differ in the prefix of the text model; one tensor that only it has tells which it is.
    /// - Throws: `GemmaError.badTensors`.
    package init(_ checkpoint: Checkpoint) throws(GemmaError) {
        let mark = "embed_tokens_per_layer.weight"
        let found = checkpoint.names.filter { $0 == mark || $0.hasSuffix("." + mark) }
        // A file of encoders alone has no prefix to find.
        let isEncoders = found.isEmpty && checkpoint.names.contains { Self.encoders.contains(where: $0.contains) }
        guard isEncoders || found.count == 1 else {
            let reason = found.isEmpty ? "it has no '\(mark)'" : "it has \(found.count) tensors '...\(mark)'"
            throw .badTensors(file: checkpoint.path, reason: reason)
        }
        let prefix = found.first?.dropLast(mark.count) ?? ""
        var stored: [String: String] = [:]
        for name in checkpoint.names {
            if let tower = Self.encoders.lazy.compactMap({ name.firstRange(of: $0) }).first,
                tower.lowerBound == name.startIndex || name[..<tower.lowerBound].hasSuffix(".")
            {
                stored[String(name[tower.lowerBound...])] = name
            } else if name.hasPrefix(prefix) {
                stored[String(name.dropFirst(prefix.count))] = name
            }
        }
        (self.checkpoint, self.stored, self.prefix) = (checkpoint, stored, String(prefix))
    }

    /// Whether a tensor is one of the text model.
    static func isText(_ name: String) -> Bool { !encoders.contains(where: name.hasPrefix) }

    package var names: [String] { stored.keys.sorted() }

    package func contains(_ name: String) -> Bool { stored[name] != nil }

    package func shape(of name: String) throws -> [Int] { try checkpoint.shape(of: storedName(name)) }

    package func floats(_ name: String, shape: [Int]) throws -> [Float] {
        try checkpoint.floats(storedName(name), shape: shape)
    }

    package func rows(_ rows: Range<Int>, of name: String, shape: [Int]) throws -> [Float] {
        try checkpoint.floats(storedName(name), shape: shape, rows: rows)
    }

    package func isWide(_ name: String) -> Bool { checkpoint.entry(storedName(name))?.type != .bfloat16 }

    package func isDone(with name: String) { checkpoint.discardPages(of: storedName(name)) }

    package func table(_ part: MatrixPart) throws -> RowTable {
        if let rows = try checkpoint.rowTable(part, storedAs: storedName(part.name), rows: part.rows) { return rows }
        return RowTable(try values(of: part), count: part.keptRowCount, columns: part.keptColumns)
    }

    /// Of a tensor that is missing: the name it should have.
    private func storedName(_ name: String) -> String { stored[name] ?? prefix + name }
}

extension Checkpoint {
    /// Where whole rows are wanted they are read where they lie in the file.
    ///
    /// - Parameters:
    ///   - name: Of the tensor in the file.
    ///   - rows: How many the file has.
    /// - Returns: Nil for what cannot be read so, or is not there in that shape.
    func rowTable(_ part: MatrixPart, storedAs name: String, rows: Int) throws -> RowTable? {
        guard let kept = part.keptRows.first, part.keptRows.count == 1, part.keptColumns == part.columns,
            QuantizedFormat.canStore(inputs: part.columns), let entry = entry(name),
            entry.shape == [rows, part.columns], entry.isRowMajor
        else { return nil }
        let format: QuantizedFormat
        switch entry.type {
        case .bfloat16: format = .bfloat16
        case .float32: format = .float32
        default: return nil
        }
        let bytes = try mapped(name)
        let rowBytes = bytes.count / rows
        return RowTable(
            QuantizedRows(
                format: format, count: kept.count, columns: part.columns,
                bytes: bytes[kept.lowerBound * rowBytes..<kept.upperBound * rowBytes], isSparselyRead: true))
    }
}
