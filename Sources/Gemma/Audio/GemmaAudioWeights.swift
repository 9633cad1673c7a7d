import Kernels
import Layers
package import Signal

/// The audio encoder's weights and its way into the text model, read-only and shared by all streams.
package final class GemmaAudioWeights: Sendable {
    package let config: GemmaAudioConfig
    /// The front end that the weights were made for.
    package let mel: FrameMelConfiguration
    /// Width of a token in the text model.
    package let textWidth: Int
    let convolutions: [SubsamplingWeights]
    let inputProjection: Linear  // [D, bins · channels]
    let blocks: [ConformerWeights]
    let softNorm: RMSNorm
    let hardNorm: RMSNorm
    let hardEmbeddings: Tensor<Float>  // [vocabulary, D]
    let projection: Linear  // [textWidth, D]
    /// Behind the projection, without a learned scale.
    let outputNorm: RMSNorm

    /// - Throws: What the source throws about a tensor that is missing or has another shape.
    package init(
        config: GemmaAudioConfig, textWidth: Int, mel: FrameMelConfiguration, source: some GemmaTensorSource
    ) throws {
        precondition(mel.melBins == config.melBins, "\(mel.melBins) mel bins for \(config.melBins)")
        (self.config, self.mel, self.textWidth) = (config, mel, textWidth)
        let tower = AudioTensors(source: source, config: config, prefix: "audio_tower.")
        let subsampling = tower.below("subsample_conv_projection.")
        convolutions = try (0..<2).map { try SubsamplingWeights($0, subsampling) }
        inputProjection = try subsampling.linear(
            "input_proj_linear", config.width, config.bins(behind: 2) * config.channels[1])
        blocks = try (0..<config.layers).map { try ConformerWeights($0, tower) }
        let embedder = AudioTensors(source: source, config: config, prefix: "embed_audio.")
        softNorm = try embedder.norm("soft_embedding_norm")
        hardNorm = try embedder.norm("hard_embedding_norm")
        hardEmbeddings = Tensor(
            try embedder.floats("embedding.weight", [config.vocabulary, config.width]), shape: config.vocabulary,
            config.width)
        projection = try embedder.linear("embedding_projection", textWidth, config.width)
        outputNorm = RMSNorm(width: textWidth, epsilon: Float(config.epsilon))
    }

    /// Ids that have hard embeddings: `<end_of_audio>`, and the padding of a clip.
    package var hardIDs: Range<Int> { config.vocabularyOffset..<config.vocabularyOffset + config.vocabulary }

    /// The embedding of an id of sounds as the text model takes it in, where the id stands for itself.
    /// - Parameter id: Of `hardIDs`.
    /// - Returns: [textWidth].
    package func hardEmbedding(id: Int) -> [Float] {
        precondition(hardIDs.contains(id), "token \(id) is none of \(hardIDs)")
        let row = Tensor<Float>(1, config.width, filledWith: 0)
        row.copy(
            hardEmbeddings, from: (id - config.vocabularyOffset) * config.width, count: config.width, to: 0)
        hardNorm(row, rows: 1, into: row, pool: .single)
        let output = Tensor<Float>(1, textWidth, filledWith: 0)
        projection(row, rows: 1, into: output, pool: .single)
        outputNorm(output, rows: 1, into: output, pool: .single)
        return output.array
    }

    /// Into `output`, in the text model's width: what the encoder gave. `output` [≥ rows, textWidth].
    func embed(_ x: Tensor<Float>, rows: Int, normed: Tensor<Float>, into output: Tensor<Float>, pool: ThreadPool) {
        softNorm(x, rows: rows, into: normed, pool: pool)
        projection(normed, rows: rows, into: output, pool: pool)
        outputNorm(output, rows: rows, into: output, pool: pool)
    }
}
