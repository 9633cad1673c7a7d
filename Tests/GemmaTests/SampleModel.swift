import Foundation
import Gemma
import Kernels
import Layers
import TestSupport
import Testing

/// A tiny Gemma 3n as it is published: configuration, tensors of hashes, a tokenizer.
///
/// Its widths can be cut where quantised files can: feed-forward blocks of 512 and 768, per-layer embeddings of 256. Rank 8
/// of LAuReL fits no quantised format.
struct SampleModel: Sendable {
    var feedForward = [512, 768, 512, 768, 512, 512]
    static let sparsity = [0.9, 0.5, 0, 0, 0, 0]
    static let sliding = [true, true, false, true, true, false]
    static let layers = 6
    static let sharedLayers = 2
    static let (width, perLayerWidth, laurelRank) = (64, 256, 8)
    static let (textVocabulary, vocabulary) = (320, 352)
    static let window = 8
    static let positions = 512

    /// How the configuration is spelled.
    enum Spelling: CaseIterable {
        /// `text_config` inside, rotary bases as two numbers: as published.
        case nested
        /// The text model alone, rotary bases in an object of two: as newer programs write it.
        case flat
    }

    func config(_ spelling: Spelling) -> String {
        let kinds = Self.sliding.map { $0 ? "\"sliding_attention\"" : "\"full_attention\"" }.joined(separator: ", ")
        let rotary =
            switch spelling {
            case .nested: "\"rope_theta\": 1000000.0, \"rope_local_base_freq\": 10000.0"
            case .flat:
                """
                "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 1000000.0},
                  "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}
                """
            }
        let text = """
            "vocab_size": \(Self.vocabulary), "vocab_size_per_layer_input": \(Self.textVocabulary),
            "hidden_size": \(Self.width), "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
            "sliding_window": \(Self.window), "hidden_size_per_layer_input": \(Self.perLayerWidth),
            "laurel_rank": \(Self.laurelRank), "num_hidden_layers": \(Self.layers),
            "num_kv_shared_layers": \(Self.sharedLayers), "intermediate_size": \(feedForward),
            "activation_sparsity_pattern": \(Self.sparsity), "layer_types": [\(kinds)], \(rotary),
            "max_position_embeddings": \(Self.positions), "rms_norm_eps": 1e-06, "final_logit_softcapping": 30.0
            """
        let ids = """
            "eos_token_id": 1, "boi_token_id": 6, "boa_token_id": 7, "eoi_token_id": 320, "image_token_id": 321,
            "eoa_token_id": 336, "audio_token_id": 337
            """
        return switch spelling {
        case .nested: "{\"model_type\": \"gemma3n\", \(ids), \"text_config\": {\(text)}}"
        case .flat: "{\"model_type\": \"gemma3n_text\", \(ids), \(text)}"
        }
    }

    /// What the decoder asks a source for: names and shapes.
    func tensors() throws -> [(name: String, shape: [Int])] {
        let folder = try TemporaryFolder()
        try Data(config(.flat).utf8).write(to: folder.url("config.json"))
        let source = Recorder(source: HashSource(width: Self.width))
        _ = try GemmaTextWeights(config: GemmaConfig(folder: folder.path).text, source: source)
        return source.seen.shapes.map { ($0.key, $0.value) }.sorted { $0.name < $1.name }
    }

    static func values(_ name: String, _ shape: [Int]) -> [Float] {
        HashSource(width: width).floats(name, shape: shape)
    }
}

/// Notes what it is asked for.
struct Recorder: GemmaTensorSource {
    final class Seen { var shapes: [String: [Int]] = [:] }
    let source: HashSource
    let seen = Seen()

    func floats(_ name: String, shape: [Int]) -> [Float] {
        seen.shapes[name] = shape
        return source.floats(name, shape: shape)
    }
}

/// The sample's tokenizer in both forms that models bring.
enum SampleTokenizer {
    private static let control = [
        "<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<start_of_audio>"
    ]
    private static let bytes = (0..<256).map { String(format: "<0x%02X>", $0) }
    private static let runs = ["\n", "\n\n", "\n\n\n"]
    private static let merged = ["he", "ll", "hell", "hello", "\u{2581}w", "or", "ld", "\u{2581}world", "wor"]
    private static let letters = "abcdehlorw".map(String.init) + ["\u{2581}", "é", "日", "😀"]
    /// Behind the text: ids of tags that only `tokenizer.json` and GGUF files name.
    private static let media = [
        320: "<end_of_image>", 321: "<image_soft_token>", 336: "<end_of_audio>", 337: "<audio_soft_token>"
    ]
    private static let fillers = (0..<30).map { "<unused\($0)>" }
    private static let text: [String] = {
        let all = control + runs + bytes + letters + merged + fillers
        precondition(all.count == SampleModel.textVocabulary, "\(all.count)")
        return all
    }()

    private static var merges: [(String, String)] {
        let known = Set(letters + merged)
        return merged.flatMap { piece in
            piece.indices.dropFirst().map { (String(piece[..<$0]), String(piece[$0...])) }
        }.filter { known.contains($0.0) && known.contains($0.1) }
    }

    /// `tokenizer.json`.
    static var json: String {
        func quoted(_ text: String) -> String {
            "\"\(text.replacingOccurrences(of: "\n", with: "\\n"))\""
        }
        func added(_ id: Int, _ text: String, isSpecial: Bool) -> String {
            """
            {"id":\(id),"content":\(quoted(text)),"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,\
            "special":\(isSpecial)}
            """
        }
        let specials = control.enumerated().map { added($0.offset, $0.element, isSpecial: true) }
        let lines = runs.enumerated().map { added(control.count + $0.offset, $0.element, isSpecial: false) }
        let tags = media.sorted { $0.key < $1.key }.map { added($0.key, $0.value, isSpecial: true) }
        let vocabulary = text.enumerated().map { "\(quoted($0.element)):\($0.offset)" }
        let pairs = merges.map { "[\(quoted($0.0)),\(quoted($0.1))]" }
        return """
            {"version":"1.0","truncation":null,"padding":null,
            "added_tokens":[\((specials + lines + tags).joined(separator: ","))],
            "normalizer":{"type":"Replace","pattern":{"String":" "},"content":"\u{2581}"},
            "pre_tokenizer":{"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious","invert":false},
            "post_processor":null,"decoder":null,
            "model":{"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":null,
            "end_of_word_suffix":null,"fuse_unk":true,"byte_fallback":true,"ignore_merges":false,
            "vocab":{\(vocabulary.joined(separator: ","))},"merges":[\(pairs.joined(separator: ","))]}}
            """
    }

    /// Tokens, their types and scores as a GGUF file lists them.
    static var lists: (tokens: [String], types: [Int32], scores: [Float]) {
        var (tokens, types, scores) = (text, [Int32](), [Float]())
        for id in SampleModel.textVocabulary..<SampleModel.vocabulary { tokens.append(media[id] ?? "[PAD\(id)]") }
        for (id, token) in tokens.enumerated() {
            let isControl = control.contains(token) || id >= SampleModel.textVocabulary
            types.append(
                token == "<unk>" ? 2 : isControl ? 3 : runs.contains(token) ? 4 : bytes.contains(token) ? 6 : 1)
            scores.append(merged.firstIndex(of: token).map { -Float($0) } ?? -1_000)
        }
        return (tokens, types, scores)
    }

    static let texts = [
        "hello world", "world hello\n\n\nwor", "", "<bos><start_of_turn>hé日本😀<end_of_turn>\n", "  held ",
        "\u{1}\u{10FFFF}"
    ]
}

/// A folder that lives as long as the value.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "gemma-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func url(_ name: String) -> URL { URL(fileURLWithPath: "\(path)/\(name)") }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
