import Foundation
import Gemma
import Kernels
import TestSupport
import Testing

/// The picture half of whole models: folders in the spellings that are about, and files of our own.
struct VisionModelTests {
    private typealias Tensors = [(name: String, shape: [Int], values: [Float])]

    /// Notes what it is asked for.
    private struct Recorder: GemmaTensorSource {
        final class Seen { var shapes: [String: [Int]] = [:] }
        let seen = Seen()

        func floats(_ name: String, shape: [Int]) -> [Float] {
            seen.shapes[name] = shape
            return HashVisionSource().floats(name, shape: shape)
        }
    }

    /// A folder with the sample's text half and the hash encoder.
    private func folder(prefix: String = "model.", without missing: [String] = []) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let sample = SampleModel()
        let read = { (data: Data) in try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:] }
        let vision = try read(Data(contentsOf: HashModel.golden("vision.json")))
        let config = try read(Data(sample.config(.nested).utf8)).merging(vision) { $1 }
        try JSONSerialization.data(withJSONObject: config).write(to: folder.url("config.json"))
        try Data(SampleTokenizer.json.utf8).write(to: folder.url("tokenizer.json"))
        var tensors: Tensors = try sample.tensors().map { name, shape in
            (prefix + "language_model." + name, shape, SampleModel.values(name, shape))
        }
        let recorder = Recorder()
        _ = try GemmaVisionWeights(config: HashVision.config(), source: recorder, textWidth: SampleModel.width)
        tensors += recorder.seen.shapes.sorted { $0.key < $1.key }.map { name, shape in
            (prefix + name, shape, HashVisionSource().floats(name, shape: shape))
        }
        tensors.removeAll { tensor in missing.contains { tensor.name.contains($0) } }
        try ModelFolder.write(tensors, .float32, to: folder.url("model.safetensors"))
        return folder
    }

    private func model(prefix: String = "model.", without missing: [String] = []) throws -> GemmaModel {
        let folder = try folder(prefix: prefix, without: missing)
        defer { withExtendedLifetime(folder) {} }
        return try GemmaModel(folder.path)
    }

    private func tokens(_ weights: GemmaVisionWeights) -> [Float] {
        GemmaVisionEncoder(weights: weights, pool: .single).encode(HashVision.picture(128), resolution: 128).array
    }

    private func expected() throws -> [Float] {
        tokens(
            try GemmaVisionWeights(
                config: HashVision.config(), source: HashVisionSource(), textWidth: SampleModel.width))
    }

    private func relativeError(_ values: [Float], _ wanted: [Float]) -> Float {
        let errors = zip(values, wanted).map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
        return (errors / wanted.map { $0 * $0 }.reduce(0, +)).squareRoot()
    }

    @Test(arguments: ["model.", ""]) func foldersOfEitherSpellingAreRead(prefix: String) throws {
        let model = try model(prefix: prefix)
        #expect(model.hasVision)
        #expect(try tokens(model.visionWeights()) == expected())
    }

    @Test func aQuantisedFileSeesAlmostTheSame() throws {
        let folder = try folder()
        let model = try GemmaModel(folder.path)
        let file = try QuantizedFileTests.quantize(model, .q4, in: folder)
        let error = try relativeError(tokens(file.visionWeights()), expected())
        #expect(error > 0 && error < 0.2)
        #expect(try relativeError(tokens(model.visionWeights(format: .q4)), expected()) < 0.2)
        // The 3 x 3 convolutions that expand are in 8 bits too.
        let stored = try Data(contentsOf: folder.url("model.gguf"))
        let layout = "vision_tower.timm_model.blocks.0.1.conv_exp.weight q8 windows 128 288"
        #expect(stored.range(of: Data(layout.utf8)) != nil)
    }

    @Test func theStemNeedsNoBias() throws {
        let with = try expected()
        let without = try tokens(model(without: ["conv_stem.conv.bias"]).visionWeights())
        #expect(worst(with, without) > 1e-3)
    }

    @Test func aModelWithoutPicturesIsReadForText() throws {
        let model = try model(without: ["vision"])
        #expect(!model.hasVision)
        _ = try model.textWeights()
        #expect(throws: GemmaError.self) { try model.visionWeights() }
    }

    @Test func anEncoderThatLacksATensorIsRefused() throws {
        let model = try model(without: ["blocks.2.2.attn.key.proj"])
        #expect(throws: (any Error).self) { try model.visionWeights() }
    }
}
