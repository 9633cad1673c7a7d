import ArgumentParser
import Catalog
import Foundation
import Weights

struct ModelsInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Tells what a checkpoint holds.")

    @Argument(help: "A checkpoint, its folder, or the name of a pulled model.")
    var model: String

    @Flag(help: "List every tensor.")
    var tensors = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let summary: Summary
        do {
            summary = Summary(
                try Checkpoint.open(ModelStore.standard().resolve(model).path), listsTensors: tensors || json)
        } catch let error as CatalogError {
            throw CommandFailure(error)
        } catch let error as WeightsError {
            throw CommandFailure(error)
        }
        print(json ? try encodeJSON(summary) : summary.text(listsTensors: tensors))
    }

    private struct Summary: Encodable {
        struct Tensor: Encodable {
            let name: String
            let shape: [Int]
            let type: String
        }

        let path: String
        let format: String
        let architecture: String?  // what a GGUF file says it is
        let tensorCount: Int
        let parameters: Int
        let bytes: Int
        let types: [String: Int]  // type → number of tensors
        let dimensions: [String: Int]
        let tensors: [Tensor]

        enum CodingKeys: String, CodingKey {
            case path, format, architecture, parameters, bytes, types, dimensions, tensors
            case tensorCount = "tensor_count"
        }

        init(_ checkpoint: Checkpoint, listsTensors: Bool) {
            let entries = checkpoint.names.compactMap(checkpoint.entry)
            path = checkpoint.path
            format =
                switch checkpoint.format {
                case .ctranslate2(let spec, let revision): "CTranslate2 \(spec) \(revision)"
                case .gguf(let version): "GGUF \(version)"
                case .safetensors:
                    checkpoint.files.count == 1 ? "safetensors" : "safetensors, \(checkpoint.files.count) files"
                case .torch: "torch"
                }
            architecture = try? checkpoint.header?.architecture
            tensorCount = entries.count
            parameters = entries.map(\.count).reduce(0, +)
            bytes = entries.map(\.byteRange.count).reduce(0, +)
            types = Dictionary(grouping: entries, by: \.type.rawValue).mapValues(\.count)
            dimensions = Self.dimensions(checkpoint)
            tensors =
                listsTensors
                ? entries.map { Tensor(name: $0.name, shape: $0.shape, type: $0.type.rawValue) } : []
        }

        /// What the shapes of a Whisper tell; empty for other models.
        private static func dimensions(_ checkpoint: Checkpoint) -> [String: Int] {
            guard case .ctranslate2(spec: "WhisperSpec", _) = checkpoint.format else { return [:] }
            func extent(_ name: String, _ axis: Int) -> Int? {
                checkpoint.entry(name).flatMap { $0.shape.indices.contains(axis) ? $0.shape[axis] : nil }
            }
            func layers(_ side: String) -> Int {
                (0...).first { checkpoint.entry("\(side)/layer_\($0)/ffn/linear_0/weight") == nil } ?? 0
            }
            let found: [String: Int?] = [
                "width": extent("encoder/conv1/weight", 0),
                "mel_bins": extent("encoder/conv1/weight", 1),
                "audio_positions": extent("encoder/position_encodings/encodings", 0),
                "text_positions": extent("decoder/position_encodings/encodings", 0),
                "vocabulary": extent("decoder/embeddings/weight", 0),
                "ffn": extent("encoder/layer_0/ffn/linear_0/weight", 0),
                "heads": try? checkpoint.integer("encoder/num_heads"),
                "encoder_layers": layers("encoder"),
                "decoder_layers": layers("decoder")
            ]
            return found.compactMapValues { $0 }
        }

        func text(listsTensors: Bool) -> String {
            let counts = { (items: [String: Int]) in
                items.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            }
            var lines = [
                "path        \(path)",
                "format      \(format)\(architecture.map { ", architecture \($0)" } ?? "")",
                "tensors     \(tensorCount) (\(counts(types)))",
                "parameters  \(String(format: "%.2f", Double(parameters) / 1e6)) million, \(formatBytes(bytes))"
            ]
            if !dimensions.isEmpty { lines.append("dimensions  \(counts(dimensions))") }
            if listsTensors { lines += tensors.map { "\($0.name)  \($0.type) \($0.shape)" } }
            return lines.joined(separator: "\n")
        }
    }
}
