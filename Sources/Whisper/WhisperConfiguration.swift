import Foundation
import Weights

/// Dimensions and token lists of a Whisper checkpoint. There is no table of dimensions in the file: they follow from the
/// shapes of tensors and two scalars.
package struct WhisperConfiguration: Sendable {
    package let width: Int  // d_model
    package let heads: Int
    package let feedForward: Int
    package let encoderLayers: Int
    package let decoderLayers: Int
    package let vocabularySize: Int
    package let melBins: Int  // n_mels
    /// Positions of 20 ms that the encoder has room for: 1500.
    package let audioPositions: Int
    /// Tokens of prompt and output together: 448.
    package let textPositions: Int
    package let suppressed: [Int]  // suppress_ids
    package let suppressedAtBegin: [Int]  // suppress_ids_begin
    /// Heads whose cross-attention follows time.
    package let alignmentHeads: [Head]

    package struct Head: Hashable, Sendable {
        package let layer: Int
        package let head: Int
    }

    package var headDim: Int { width / heads }
    package let sampleRateHz = 16_000
    package let hopSamples = 160
    /// One encoder position: two hops.
    package let positionSamples = 320

    private struct TokenLists: Decodable {
        let suppress_ids: [Int]?
        let suppress_ids_begin: [Int]?
        let alignment_heads: [[Int]]?
    }

    /// - Throws: `WhisperError` or `WeightsError` for a checkpoint that is not a Whisper of this form.
    init(checkpoint: Checkpoint, folder: String) throws {
        let conv = try checkpoint.shape(of: "encoder/conv1/weight")
        let embedding = try checkpoint.shape(of: "decoder/embeddings/weight")
        let file = "\(folder)/model.bin"
        guard conv.count == 3, embedding.count == 2, conv[2] == 3, embedding[1] == conv[0] else {
            throw WhisperError.unusable(file: file, reason: "its shapes are not those of a Whisper")
        }
        (width, melBins, vocabularySize) = (conv[0], conv[1], embedding[0])
        heads = try checkpoint.integer("encoder/num_heads")
        guard heads > 0, width % heads == 0, try checkpoint.integer("decoder/num_heads") == heads else {
            throw WhisperError.unusable(file: file, reason: "\(heads) heads do not divide a width of \(width)")
        }
        feedForward = try checkpoint.shape(of: "encoder/layer_0/ffn/linear_0/weight")[0]
        encoderLayers = Self.layers("encoder", checkpoint)
        decoderLayers = Self.layers("decoder", checkpoint)
        audioPositions = try checkpoint.shape(of: "encoder/position_encodings/encodings")[0]
        textPositions = try checkpoint.shape(of: "decoder/position_encodings/encodings")[0]
        for (name, value) in [("decoder/pre_norm", 1), ("decoder/scale_embeddings", 0), ("decoder/alibi", 0)]
        where try checkpoint.entry(name) != nil && checkpoint.integer(name) != value {
            throw WhisperError.unusable(file: file, reason: "\(name) is not \(value)")
        }
        let listsFile = "\(folder)/config.json"
        guard let data = FileManager.default.contents(atPath: listsFile) else {
            throw WhisperError.missing(file: listsFile)
        }
        let lists: TokenLists
        do { lists = try JSONDecoder().decode(TokenLists.self, from: data) } catch {
            throw WhisperError.unusable(file: listsFile, reason: "it is not the JSON of a Whisper")
        }
        let size = vocabularySize
        suppressed = (lists.suppress_ids ?? []).filter { 0..<size ~= $0 }
        suppressedAtBegin = (lists.suppress_ids_begin ?? []).filter { 0..<size ~= $0 }
        let (layers, perLayer) = (decoderLayers, heads)
        alignmentHeads = (lists.alignment_heads ?? []).compactMap {
            $0.count == 2 && 0..<layers ~= $0[0] && 0..<perLayer ~= $0[1] ? Head(layer: $0[0], head: $0[1]) : nil
        }
    }

    private static func layers(_ side: String, _ checkpoint: Checkpoint) -> Int {
        (0...).first { checkpoint.entry("\(side)/layer_\($0)/ffn/layer_norm/gamma") == nil } ?? 0
    }
}
