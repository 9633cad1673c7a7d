import Foundation
import Gemma
import Kernels
import Layers
import Tokenizers
import Weights

/// A quantised file taken apart, so that a test can lie in each part.
struct ContainerParts {
    struct Stored {
        var name: String
        var shape: [Int]
        var type: ElementType
        var bytes: [UInt8]
    }

    var values: [(key: String, value: GGUFValue)]
    var tensors: [Stored]
    /// Of these values that are texts, in lines if they are lists.
    private(set) var texts: [String: String] = [:]

    init(_ path: String) throws {
        let file = try Checkpoint.open(path)
        let header = file.header!
        values = try header.keys.map { ($0, try header.value($0)) }
        for key in header.keys {
            texts[key] = (try? header.text(key)) ?? (try? header.texts(key))?.joined(separator: "\n")
        }
        tensors = try file.names.map { name in
            let entry = file.entry(name)!
            return Stored(name: name, shape: entry.shape, type: entry.type, bytes: [UInt8](try file.bytes(name)))
        }
    }

    func write(to path: String) throws {
        let writer = try GGUFWriter(
            path: path, metadata: values,
            tensors: tensors.map { GGUFWriter.Plan(name: $0.name, shape: $0.shape, type: $0.type) })
        for tensor in tensors where !tensor.bytes.isEmpty {
            try writer.append(tensor.bytes.span.bytes, to: tensor.name)
        }
        try writer.finish()
    }

    mutating func set(_ key: String, _ value: GGUFValue?) {
        values.removeAll { $0.key == key }
        if let value { values.append((key, value)) }
    }

    mutating func change(_ name: String, _ body: (inout Stored) -> Void) {
        let index = tensors.firstIndex { $0.name == name }!
        body(&tensors[index])
    }

    mutating func remove(_ name: String) { tensors.removeAll { $0.name == name } }
}

/// A small quantised file: a sparse layer, a full one and a sliding one.
enum SmallContainer {
    static let parts: ContainerParts = {
        do {
            let source = try ModelFolder()
            let slice = GemmaSlice(layers: [0, 2, 3], feedForward: [32, 256, 256])
            let path = source.folder.file("small.gguf")
            try GemmaQuantizer(GemmaModel(source.path), to: .q4, slice: slice).write(to: path, pool: .single)
            return try ContainerParts(path)
        } catch { fatalError("\(error)") }
    }()
}

/// Opens a model file, loads all of it and runs a few tokens, as `ask` does.
/// - Returns: Logits and tokens, so that nothing is left out.
@discardableResult
func runEverything(_ path: String) throws -> [Float] {
    let model = try GemmaModel(path)
    let ids = try model.tokenizer().encode("hello world", specials: true)
    let decoder = GemmaDecoder(weights: try model.textWeights(), pool: .single, blockRows: 4)
    let state = makeState(decoder, storage: .float16, positions: 16)
    let known = ids.prefix(3).map { min($0, model.config.text.textVocabulary - 1) }
    try decoder.prefill(GemmaPrompt(known.isEmpty ? [0] : Array(known)), state: state)
    var sampler = Sampler.greedy
    let token = sampler.next(state.textLogits())
    return try decoder.step(token, state: state).columnsOfRow(0)
}
