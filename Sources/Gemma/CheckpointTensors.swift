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
}
