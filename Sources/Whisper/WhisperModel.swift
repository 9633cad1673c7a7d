import Foundation
package import Kernels
import Layers
package import Tokenizers
import Weights

/// Whisper (Radford et al. 2022): mapped once, packed for this machine, shared by all streams.
///
/// ```
/// log-mel [3000, 80] ─ conv, conv ─► [1500, d] ─ encoder layers ─► [1500, d] ─ keys, values ─► cross-attention
///                                                        tokens ─ embedding ─ decoder layers ──┘──► logits [vocabulary]
/// ```
package final class WhisperModel: Sendable {
    struct EncoderLayer: Sendable {
        let attentionNorm: LayerNorm
        let queryKeyValue: Linear
        let attentionOut: Linear
        let feedForwardNorm: LayerNorm
        let up: Linear
        let down: Linear
    }

    struct DecoderLayer: Sendable {
        let attentionNorm: LayerNorm
        let queryKeyValue: Linear
        let attentionOut: Linear
        let crossNorm: LayerNorm
        let crossQuery: Linear
        let crossKeyValue: Linear
        let crossOut: Linear
        let feedForwardNorm: LayerNorm
        let up: Linear
        let down: Linear
    }

    package let name: String
    let precision: Precision
    package let configuration: WhisperConfiguration
    package let tokenizer: ByteLevelBPE
    package let special: SpecialTokens
    let conv1: Conv1d
    let conv2: Conv1d
    let encoderPositions: Tensor<Float>  // [audioPositions, d]
    let encoderLayers: [EncoderLayer]
    let encoderNorm: LayerNorm
    let embedding: Tensor<Float16>  // [vocabulary, d]
    let decoderPositions: Tensor<Float>  // [textPositions, d]
    let decoderLayers: [DecoderLayer]
    let decoderNorm: LayerNorm
    let vocabularyProduct: Linear

    /// - Parameters:
    ///   - folder: a CTranslate2 directory.
    ///   - precision: of all matrix products; normalisation, softmax and convolution stay in float.
    package init(folder: String, name: String, precision: Precision) throws {
        (self.name, self.precision) = (name, precision)
        let file = "\(folder)/model.bin"
        guard FileManager.default.fileExists(atPath: file) else { throw WhisperError.missing(file: file) }
        let checkpoint = try Checkpoint.open(file)
        let configuration = try WhisperConfiguration(checkpoint: checkpoint, folder: folder)
        self.configuration = configuration
        tokenizer = try ByteLevelBPE(folder: folder)
        special = try SpecialTokens(
            tokenizer, vocabularySize: configuration.vocabularySize, file: "\(folder)/vocabulary.txt")

        let (d, f) = (configuration.width, configuration.feedForward)
        func linear(_ name: String, _ outputs: Int, _ inputs: Int) throws -> Linear {
            Linear(
                weights: try checkpoint.floats("\(name)/weight", shape: [outputs, inputs]),
                bias: try checkpoint.floats("\(name)/bias", shape: [outputs]),
                outputs: outputs, inputs: inputs, precision: precision)
        }
        func norm(_ name: String) throws -> LayerNorm {
            LayerNorm(
                gamma: try checkpoint.floats("\(name)/gamma", shape: [d]),
                beta: try checkpoint.floats("\(name)/beta", shape: [d]))
        }
        func conv(_ name: String, inputs: Int, stride: Int) throws -> Conv1d {
            Conv1d(
                weights: try checkpoint.floats("\(name)/weight", shape: [d, inputs, 3]),
                bias: try checkpoint.floats("\(name)/bias", shape: [d]),
                outputs: d, inputs: inputs, taps: 3, stride: stride, padding: 1, precision: precision)
        }
        conv1 = try conv("encoder/conv1", inputs: configuration.melBins, stride: 1)
        conv2 = try conv("encoder/conv2", inputs: d, stride: 2)
        func table(_ name: String, rows: Int) throws -> Tensor<Float> {
            Tensor(try checkpoint.floats(name, shape: [rows, d]), shape: rows, d)
        }
        encoderPositions = try table("encoder/position_encodings/encodings", rows: configuration.audioPositions)
        encoderLayers = try (0..<configuration.encoderLayers).map { index in
            let layer = "encoder/layer_\(index)"
            return EncoderLayer(
                attentionNorm: try norm("\(layer)/self_attention/layer_norm"),
                queryKeyValue: try linear("\(layer)/self_attention/linear_0", 3 * d, d),
                attentionOut: try linear("\(layer)/self_attention/linear_1", d, d),
                feedForwardNorm: try norm("\(layer)/ffn/layer_norm"),
                up: try linear("\(layer)/ffn/linear_0", f, d),
                down: try linear("\(layer)/ffn/linear_1", d, f))
        }
        encoderNorm = try norm("encoder/layer_norm")
        let words = try checkpoint.floats("decoder/embeddings/weight", shape: [configuration.vocabularySize, d])
        embedding = Tensor(words.map { Float16($0) }, shape: configuration.vocabularySize, d)
        decoderPositions = try table("decoder/position_encodings/encodings", rows: configuration.textPositions)
        decoderLayers = try (0..<configuration.decoderLayers).map { index in
            let layer = "decoder/layer_\(index)"
            return DecoderLayer(
                attentionNorm: try norm("\(layer)/self_attention/layer_norm"),
                queryKeyValue: try linear("\(layer)/self_attention/linear_0", 3 * d, d),
                attentionOut: try linear("\(layer)/self_attention/linear_1", d, d),
                crossNorm: try norm("\(layer)/attention/layer_norm"),
                crossQuery: try linear("\(layer)/attention/linear_0", d, d),
                crossKeyValue: try linear("\(layer)/attention/linear_1", 2 * d, d),
                crossOut: try linear("\(layer)/attention/linear_2", d, d),
                feedForwardNorm: try norm("\(layer)/ffn/layer_norm"),
                up: try linear("\(layer)/ffn/linear_0", f, d),
                down: try linear("\(layer)/ffn/linear_1", d, f))
        }
        decoderNorm = try norm("decoder/layer_norm")
        vocabularyProduct = Linear(
            weights: words, bias: nil, outputs: configuration.vocabularySize, inputs: d, precision: precision)
    }
}
