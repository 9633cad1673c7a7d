import Kernels
import Layers

/// The text decoder's weights, read-only and shared by all conversations.
package final class GemmaTextWeights: Sendable {
    package let config: GemmaTextConfig
    /// Token embeddings, and the output matrix: [textVocabulary, D], or [vocabulary, D] with dead rows.
    let embedding: OutputHead
    let perLayerEmbedding: RowTable  // [textVocabulary, storedLayers · P]
    let perLayerProjection: Linear  // [layers · P, D]
    let perLayerNorm: RMSNorm
    let streamsIn: [Linear]  // altup_projections, 3 × [D, D]
    let streamsOut: [Linear]  // altup_unembed_projections, 3 × [D, D]
    let norm: RMSNorm
    let layers: [GemmaLayerWeights]

    /// - Parameters:
    ///   - config: Of the whole model, or a slice of it.
    ///   - shortcuts: Without `.liveHeadRows` the head has the rows of pictures and sounds too.
    /// - Throws: What the source throws about a tensor that is missing or has another shape.
    package init(config c: GemmaTextConfig, source: some GemmaTensorSource, shortcuts: GemmaShortcuts = .all) throws {
        config = c
        let rows = shortcuts.contains(.liveHeadRows) ? c.textVocabulary : c.vocabulary
        embedding = try source.head(
            MatrixPart("embed_tokens.weight", rows: c.vocabulary, columns: c.width, keptRows: [0..<rows]))
        perLayerEmbedding = try source.table(
            MatrixPart(
                "embed_tokens_per_layer.weight", rows: c.textVocabulary, columns: c.storedLayers * c.perLayerWidth))
        perLayerProjection = try source.linear(
            MatrixPart(
                "per_layer_model_projection.weight", rows: c.storedLayers * c.perLayerWidth, columns: c.width,
                keptRows: c.layers.map { $0.stored * c.perLayerWidth..<($0.stored + 1) * c.perLayerWidth }))
        let reader = LayerReader(source: source, config: c, prefix: "")
        perLayerNorm = try reader.norm("per_layer_projection_norm", c.perLayerWidth)
        streamsIn = try (0..<GemmaTextConfig.streams - 1).map {
            try reader.linear("altup_projections.\($0)", c.width, c.width)
        }
        streamsOut = try (0..<GemmaTextConfig.streams - 1).map {
            try reader.linear("altup_unembed_projections.\($0)", c.width, c.width)
        }
        norm = try reader.norm("norm", c.width)
        layers = try c.layers.indices.map { try GemmaLayerWeights(index: $0, source: source, config: c) }
    }
}

/// Work that can be left out because it changes nothing.
package struct GemmaShortcuts: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Tokens without logits end at the last layer with keys and values of its own.
    package static let sharedLayers = GemmaShortcuts(rawValue: 1)
    /// Only the feed-forward rows that survive the cut are multiplied.
    package static let sparseRows = GemmaShortcuts(rawValue: 2)
    /// The head leaves out the ids of pictures and sounds, which no answer holds. Decided when weights are loaded.
    package static let liveHeadRows = GemmaShortcuts(rawValue: 4)

    /// Who wants the largest logits gets estimates of the others. Only files in 4 bits have what that takes.
    package static let sketchedHead = GemmaShortcuts(rawValue: 8)

    package static let all: GemmaShortcuts = [.sharedLayers, .sparseRows, .liveHeadRows, .sketchedHead]
}
