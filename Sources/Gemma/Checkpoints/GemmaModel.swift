import Foundation
package import Kernels
package import Tokenizers
import Weights

/// A Gemma 3n where it lies, whatever its form.
///
/// ```
/// folder (config.json, *.safetensors, tokenizer.json) ─┐                    ┌─► config
/// file of our own (quantised, mapped) ─────────────────┼─► GemmaModel ──────┼─► tokenizer
/// GGUF as published for llama.cpp ─────────────────────┘                    └─► textWeights
/// ```
package struct GemmaModel: Sendable {
    package enum Form: Sendable { case folder, container, published }

    package let path: String
    package let form: Form
    package let config: GemmaConfig
    let values: [String: ConfigValue]  // of config.json
    let checkpoint: Checkpoint
    let container: GemmaContainer?

    /// - Parameter path: A folder in Hugging Face form, a GGUF file, or a folder that holds one.
    /// - Throws: `GemmaError`, `WeightsError`.
    package init(_ path: String) throws {
        self.path = path
        func inside(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }
        let whole = inside("model.safetensors")
        checkpoint = try Checkpoint.open(FileManager.default.fileExists(atPath: whole) ? whole : path)
        guard let header = checkpoint.header else {
            form = .folder
            values = try ConfigReader.values(file: inside("config.json"))
            config = try GemmaConfig(values, source: inside("config.json"))
            container = nil
            return
        }
        let architecture = (try? header.architecture) ?? "none"
        guard architecture == "gemma3n" else {
            throw GemmaError.badTensors(
                file: checkpoint.path, reason: "its architecture is '\(architecture.prefix(40))', not gemma3n")
        }
        if GemmaContainer.recognises(checkpoint) {
            let container = try GemmaContainer(checkpoint, header: header)
            (form, values, self.container) = (.container, container.config, container)
        } else {
            (form, container) = (.published, nil)
            values = try PublishedTensors.config(checkpoint, header: header)
        }
        config = try GemmaConfig(values, source: checkpoint.path)
    }

    /// Numbers in all tensors of the checkpoint, used or not.
    package var parameters: Int { checkpoint.names.reduce(0) { $0 + (checkpoint.entry($1)?.count ?? 0) } }

    /// Bytes of the files that hold the tensors.
    package var byteCount: Int {
        checkpoint.files.reduce(0) { sum, file in
            sum + ((try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int ?? 0)
        }
    }

    /// Formats of the text model's matrices in a quantised file; empty for the other forms.
    package var storedFormats: Set<QuantizedFormat> { container?.tensors.formats ?? [] }

    /// - Throws: `TokenizerError`, `WeightsError`.
    package func tokenizer() throws -> GemmaTokenizer {
        if let container { return try container.tokenizer() }
        guard let header = checkpoint.header else { return try GemmaTokenizer(folder: path) }
        func has(_ key: String) -> Bool { header.contains("tokenizer.ggml.\(key)") }
        return try GemmaTokenizer(
            pieces: header.texts("tokenizer.ggml.tokens"), types: header.integers("tokenizer.ggml.token_type"),
            scores: has("scores") ? header.floats("tokenizer.ggml.scores") : [],
            merges: has("merges") ? header.texts("tokenizer.ggml.merges") : [], source: checkpoint.path)
    }

    /// Loads the text decoder. A quantised file is mapped; of the other forms every matrix is made anew.
    ///
    /// - Parameters:
    ///   - format: `.q4` or `.q8` quantises the matrices on the way; nil: as they are stored, which is float32 where no
    ///     quantised file is.
    ///   - slice: A sub-model to run instead of the whole.
    /// - Throws: `GemmaError`, `WeightsError`.
    package func textWeights(
        format: QuantizedFormat? = nil, slice: GemmaSlice? = nil, shortcuts: GemmaShortcuts = .all
    ) throws -> GemmaTextWeights {
        let text = try slice.map(config.text.sliced) ?? config.text
        if let container {
            guard format == nil || storedFormats.contains(format!) else {
                throw GemmaError.badTensors(
                    file: checkpoint.path,
                    reason: "it is quantised already, and not to \(format!.rawValue)")
            }
            return try GemmaTextWeights(config: text, source: container.tensors, shortcuts: shortcuts)
        }
        return try weights(text, of: storedTensors(), format: format, shortcuts: shortcuts)
    }

    private func weights(
        _ config: GemmaTextConfig, of source: some GemmaStoredTensors, format: QuantizedFormat?,
        shortcuts: GemmaShortcuts
    ) throws -> GemmaTextWeights {
        guard let format else { return try GemmaTextWeights(config: config, source: source, shortcuts: shortcuts) }
        return try GemmaTextWeights(
            config: config, source: QuantizingTensors(source, format: format), shortcuts: shortcuts)
    }

    /// The tensors of a model that is not quantised in our own way.
    /// - Throws: `GemmaError.badTensors`.
    func storedTensors() throws(GemmaError) -> any GemmaStoredTensors {
        switch form {
        case .folder: return try CheckpointTensors(checkpoint)
        case .published: return PublishedTensors(checkpoint, layers: config.text.storedLayers)
        case .container: throw .badTensors(file: checkpoint.path, reason: "it is quantised already")
        }
    }
}
