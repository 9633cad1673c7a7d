import Foundation
import Gemma
import Kernels
import Layers
import TestSupport
import Testing
import Weights

/// Checkpoints whose tensors are not what config.json says, or not what numbers should be.
struct HostileTensorTests {
    /// A source in which one tensor is something else.
    private struct Spoiled: GemmaTensorSource {
        let name: String
        let number: Float
        let source: HashSource

        func floats(_ name: String, shape: [Int]) -> [Float] {
            var values = source.floats(name, shape: shape)
            if name == self.name { for index in stride(from: 0, to: values.count, by: 3) { values[index] = number } }
            return values
        }
    }

    @Test(
        arguments: [
            "embed_tokens.weight", "embed_tokens_per_layer.weight", "layers.0.mlp.gate_proj.weight",
            "layers.0.mlp.up_proj.weight", "layers.0.mlp.down_proj.weight", "layers.2.self_attn.k_proj.weight",
            "layers.1.altup.modality_router.weight", "layers.4.input_layernorm.weight", "norm.weight"
        ], [Float.nan, .infinity, -3e38])
    func whatIsNoNumberCrashesNothing(name: String, number: Float) throws {
        let model = HashModel.fives
        let weights = try GemmaTextWeights(
            config: model.config,
            source: Spoiled(name: name, number: number, source: HashSource(width: model.config.width)))
        let decoder = GemmaDecoder(weights: weights, pool: .single, blockRows: 16)
        for storage in [GroupedKVCache.Storage.float16, .float32] {
            let tokens = try greedy(
                model.ids(20), count: 4, decoder: decoder, state: makeState(decoder, storage: storage))
            #expect(tokens.allSatisfy((0..<model.config.textVocabulary).contains))
        }
    }

    /// A safetensors file with tensors of those names and shapes, all zero.
    private func open(_ tensors: [String: [Int]]) throws -> CheckpointTensors {
        var (entries, offset) = ([String](), 0)
        for (name, shape) in tensors.sorted(by: { $0.key < $1.key }) {
            let end = offset + shape.reduce(2, *)
            entries.append("\"\(name)\":{\"dtype\":\"BF16\",\"shape\":\(shape),\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        let header = Data("{\(entries.joined(separator: ","))}".utf8)
        var file = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
        file += header + Data(count: offset)
        let path = FileManager.default.temporaryDirectory.appending(path: "gemma-\(UUID().uuidString).safetensors")
        try file.write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        return try CheckpointTensors(try Checkpoint.open(path.path))
    }

    @Test(arguments: ["model.language_model.", "language_model.model.", "model.", "", "a.b.c."])
    func anyPrefixWillDo(prefix: String) throws {
        let mark = prefix + "embed_tokens_per_layer.weight"
        let source = try open([mark: [4, 2], prefix + "norm.weight": [3], "vision.norm.weight": [7]])
        #expect(try source.floats("norm.weight", shape: [3]) == [0, 0, 0])
    }

    @Test func noModelAndTwoModelsAreRefused() throws {
        #expect(throws: GemmaError.self) { try open(["model.norm.weight": [3]]) }
        #expect(throws: GemmaError.self) { try open(["xembed_tokens_per_layer.weight": [3]]) }
        #expect(throws: GemmaError.self) {
            try open(["a.embed_tokens_per_layer.weight": [3], "b.embed_tokens_per_layer.weight": [3]])
        }
    }

    @Test func wrongShapesAndMissingTensorsAreNamed() throws {
        let mark = "model.embed_tokens_per_layer.weight"
        let config = HashModel.fives.config
        #expect(throws: WeightsError.noSuchTensor(name: "model.embed_tokens.weight")) {
            try GemmaTextWeights(config: config, source: open([mark: [96, 120]]))
        }
        #expect(
            throws: WeightsError.wrongShape(name: "model.embed_tokens.weight", found: [112, 63], expected: [112, 64])
        ) {
            try GemmaTextWeights(
                config: config, source: open([mark: [96, 120], "model.embed_tokens.weight": [112, 63]]))
        }
    }
}
