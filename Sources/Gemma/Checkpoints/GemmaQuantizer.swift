import Foundation
package import Kernels
import Layers
import Tokenizers
import Weights

/// Makes a quantised file of a model: one `GemmaContainer`, text, audio and vision in it.
///
/// Tensors go through one after another, some rows at a time, so memory does not grow with the model. `q4` keeps the text
/// model in 4 bits and the encoders in 8, `q8` all in 8; what a format cannot hold stays in floats.
package struct GemmaQuantizer: Sendable {
    package struct Progress: Sendable {
        /// Of the file.
        package let bytesDone, bytes: Int
        package let tensor: String
    }

    private let model: GemmaModel
    private let source: any GemmaStoredTensors
    private let values: [String: ConfigValue]
    private let items: [QuantizedItem]
    private let tokenizer: GemmaTokenizer?

    /// - Parameters:
    ///   - format: `.q4` or `.q8`.
    ///   - slice: A sub-model to keep instead of the whole.
    /// - Throws: `GemmaError`, `WeightsError`, `TokenizerError`.
    package init(_ model: GemmaModel, to format: QuantizedFormat, slice: GemmaSlice? = nil) throws {
        precondition(format == .q4 || format == .q8, "\(format) is no format of models")
        self.model = model
        let source = try model.storedTensors()
        self.source = source
        do {
            tokenizer = try model.tokenizer()
        } catch TokenizerError.notFound {
            tokenizer = nil
        }
        let text = try slice.map(model.config.text.sliced) ?? model.config.text
        values = try slice == nil ? model.values : ConfigSlicing.values(model.values, for: text, path: model.path)
        let plan = QuantizationPlan(config: text, format: format)
        items = try source.names.flatMap { name in
            try plan.items(name, shape: source.shape(of: name), isWide: source.isWide(name))
        }
        try Self.check(source, config: text)
        for item in items { try item.check(source) }
    }

    /// What is missing, of another shape or of no numbers is told now, not after an hour.
    private static func check(_ source: some GemmaStoredTensors, config: GemmaTextConfig) throws {
        _ = try GemmaTextWeights(config: config, source: CheckedTensors(source: source), shortcuts: [])
    }

    /// Whether the file will understand text; it does not where the model has no `tokenizer.json`.
    package var hasTokenizer: Bool { tokenizer != nil }

    /// - Parameter progress: Called between blocks of rows, on the caller's thread.
    /// - Throws: `WeightsError`.
    package func write(to path: String, pool: ThreadPool, progress: (Progress) throws -> Void = { _ in }) throws {
        let compact = tokenizer?.compact ?? []
        var plans = items.map { GGUFWriter.Plan(name: $0.name, shape: $0.storedShape, type: $0.storedType) }
        if !compact.isEmpty {
            plans.append(GGUFWriter.Plan(name: GemmaContainer.tokenizerName, shape: [compact.count], type: .int8))
        }
        let writer = try GGUFWriter(path: path, metadata: metadata(), tensors: plans)
        var done = 0
        for item in items {
            try item.pack(source, pool: pool) { bytes in
                try writer.append(bytes, to: item.name)
                done += bytes.byteCount
                // Pages that were read count as memory of ours until they go.
                source.isDone(with: item.source)
                try progress(Progress(bytesDone: done, bytes: writer.byteCount, tensor: item.name))
            }
        }
        if !compact.isEmpty { try writer.append(compact.span.bytes, to: GemmaContainer.tokenizerName) }
        try writer.finish()
    }

    private func metadata() throws -> [(key: String, value: GGUFValue)] {
        let coder = JSONEncoder()
        coder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let config = String(decoding: try coder.encode(values), as: UTF8.self)
        let layouts = items.compactMap { item in item.layout.map { "\(item.name) \($0.text)" } }
        var metadata: [(key: String, value: GGUFValue)] = [
            ("general.architecture", .text("gemma3n")), ("general.type", .text("model")),
            (GemmaContainer.versionKey, .uint32(UInt32(GemmaContainer.version))),
            (GemmaContainer.configKey, .text(config)), (GemmaContainer.layoutsKey, .texts(layouts))
        ]
        if let tokenizer {
            let ids = 0..<tokenizer.count
            metadata += [
                ("tokenizer.ggml.model", .text("llama")),
                ("tokenizer.ggml.tokens", .texts(ids.map(tokenizer.spelling))),
                ("tokenizer.ggml.token_type", .int32s(ids.map { Int32(tokenizer.type(of: $0)) }))
            ]
        }
        if let text = preprocessor() { metadata.append((GemmaContainer.preprocessorKey, .text(text))) }
        return metadata
    }

    private func preprocessor() -> String? {
        let file = (model.path as NSString).appendingPathComponent("preprocessor_config.json")
        guard model.form == .folder, let data = ConfigReader.smallFile(file) else { return nil }
        return String(validating: data, as: UTF8.self)
    }
}

/// Looks at every tensor that is asked for, and gives none of the large ones.
private struct CheckedTensors<Source: GemmaStoredTensors>: GemmaTensorSource {
    let source: Source

    private static var someLinear: Linear {
        Linear(weights: [0], bias: nil, outputs: 1, inputs: 1, precision: .float32)
    }

    func floats(_ name: String, shape: [Int]) throws -> [Float] { try source.floats(name, shape: shape) }

    func linear(_ part: MatrixPart) throws -> Linear {
        try look(at: part)
        return Self.someLinear
    }

    func table(_ part: MatrixPart) throws -> RowTable {
        try look(at: part)
        return RowTable([0], count: 1, columns: 1)
    }

    func transposedTable(_ part: MatrixPart) throws -> RowTable { try table(part) }

    private func look(at part: MatrixPart) throws {
        _ = try source.rows(0..<1, of: part.name, shape: [part.rows, part.columns])
    }
}
