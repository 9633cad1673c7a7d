package import Kernels
import Layers
import Weights

/// The picture encoder's weights: mapped or in memory, shared by all encoders.
///
/// Pixels are rows of matrices, their channels side by side, so a convolution of one point is a `Linear` and the others are
/// products over windows; only depthwise filters are a kernel of their own.
package struct GemmaVisionWeights: Sendable {
    package let config: GemmaVisionConfig
    /// From the network's outputs, and from ids of the vision vocabulary, to the text model's width.
    package let embedder: GemmaSoftEmbedder
    let stem: Linear  // [stem, 27]
    let stemNorm: RMSNorm
    let stages: [[VisionBlockWeights]]
    let neck: InvertedWeights  // of the two last stages' joined outputs
    let neckNorm: RMSNorm

    /// - Parameters:
    ///   - source: Names of `CheckpointTensors`.
    ///   - textWidth: Of the text model.
    /// - Throws: A typed error of the container.
    package init(config: GemmaVisionConfig, source: some GemmaTensorSource, textWidth: Int) throws {
        self.config = config
        let reader = VisionReader(source: source, prefix: "vision_tower.timm_model.")
        stem = try reader.stem(channels: config.stem)
        stemNorm = try reader.norm("conv_stem.bn", config.stem)
        stages = try config.stages.enumerated().map { stage, blocks in
            try blocks.enumerated().map { index, block in
                try VisionBlockWeights(block, reader.at("blocks.\(stage).\(index)."))
            }
        }
        let joined = config.fusedWidths.reduce(0, +)
        let shape = VisionBlock.Inverted(
            inputs: joined, hidden: config.fusedHidden, outputs: config.width, start: 0, middle: 0, stride: 1,
            isResidual: false)
        neck = try InvertedWeights(shape, reader.at("msfa.ffn."), isScaled: false)
        neckNorm = try reader.norm("msfa.norm", config.width)
        embedder = try GemmaSoftEmbedder(
            source, prefix: "embed_vision.",
            ids: config.vocabularyOffset..<config.vocabularyOffset + config.vocabulary, width: config.width,
            textWidth: textWidth, epsilon: config.epsilon, softScale: Double(config.width).squareRoot())
    }

    /// RMS(P · RMS(embedding; hard norm)) of an id of the vision vocabulary: [text width].
    /// - Parameter id: Of `hardIDs`.
    package func hardEmbedding(id: Int) -> [Float] { embedder.hardEmbedding(id: id) }

    /// Ids that have a hard embedding here.
    package var hardIDs: Range<Int> { config.vocabularyOffset..<config.vocabularyOffset + config.vocabulary }
}

extension GemmaModel {
    /// Whether it has a picture encoder: in its tensors and in its configuration.
    package var hasVision: Bool {
        guard case .object? = values["vision_config"], form != .published else { return false }
        return checkpoint.names.contains { $0.contains("vision_tower.") }
    }

    /// - Throws: `GemmaError.badConfig` with every problem.
    package func visionConfig() throws(GemmaError) -> GemmaVisionConfig {
        try GemmaVisionConfig(values, source: checkpoint.path)
    }

    /// Loads the picture encoder. A quantised file is mapped.
    ///
    /// - Parameter format: A quantised one, either of them, quantises the matrices to 8 bits on the way; nil: as they are
    ///   stored, which is float32 where no quantised file is.
    /// - Throws: `GemmaError`, `WeightsError`.
    package func visionWeights(format: QuantizedFormat? = nil) throws -> GemmaVisionWeights {
        guard hasVision else {
            throw GemmaError.badTensors(
                file: checkpoint.path, reason: "it has no picture encoder (vision_config and vision_tower)")
        }
        let (vision, width) = (try visionConfig(), config.text.width)
        if let container {
            return try GemmaVisionWeights(config: vision, source: container.tensors, textWidth: width)
        }
        let source = try CheckpointTensors(checkpoint)
        guard format != nil else { return try GemmaVisionWeights(config: vision, source: source, textWidth: width) }
        return try GemmaVisionWeights(
            config: vision, source: QuantizingTensors(source, format: .q8), textWidth: width)
    }
}
