/// Dimensions of the text decoder, every number within bounds.
package struct GemmaTextConfig: Sendable, Equatable {
    /// One decoder layer, and where it lies in the checkpoint: a sub-model keeps some layers and the first rows of each.
    package struct Layer: Sendable, Equatable {
        /// Its number in the checkpoint.
        package var stored: Int
        package var storedFeedForward: Int  // intermediate_size
        /// How many of these are used.
        package var feedForward: Int
        package var isSliding: Bool
        /// Share of the feed-forward entries that are cut off; 0: none.
        package var sparsity: Double
        /// The layer whose keys and values it attends to: its own or an earlier one's.
        package var keyValueLayer: Int
    }

    /// Rows of `embed_tokens`: text, then pictures, then sounds.
    package var vocabulary: Int
    /// Ids below are text: they have rows of their own in the table of per-layer embeddings.
    package var textVocabulary: Int  // vocab_size_per_layer_input
    package var width: Int  // hidden_size
    package var heads: Int
    package var keyHeads: Int
    package var headDim: Int
    package var window: Int  // sliding_window
    package var fullTheta: Double
    package var slidingTheta: Double  // rope_local_base_freq
    package var perLayerWidth: Int  // hidden_size_per_layer_input
    package var laurelRank: Int
    package var scalesCorrection: Bool  // altup_correct_scale
    package var softCap: Double  // final_logit_softcapping
    package var epsilon: Double
    package var positions: Int  // max_position_embeddings
    /// Layers in the checkpoint, of which `layers` may be some.
    package var storedLayers: Int
    package var layers: [Layer]

    /// AltUp streams; published models have no other number.
    package static let streams = 4  // altup_num_inputs

    package func ownsKeyValues(_ layer: Int) -> Bool { layers[layer].keyValueLayer == layer }

    /// Layers behind this one share keys and values: prompt tokens without logits end here.
    package var lastKeyValueLayer: Int { layers.indices.last(where: ownsKeyValues) ?? 0 }
}

extension GemmaTextConfig {
    static let maxLayers = 256

    init(_ reader: ConfigReader) {
        let dimension = 1...16_384  // the longest row of a matrix product
        vocabulary = reader.integer("vocab_size", in: 1...1 << 21)
        textVocabulary = reader.integer("vocab_size_per_layer_input", in: 1...1 << 21)
        if textVocabulary > vocabulary { reader.note("vocab_size_per_layer_input", "is larger than vocab_size") }
        width = reader.integer("hidden_size", in: dimension)
        heads = reader.integer("num_attention_heads", in: 1...256)
        keyHeads = reader.integer("num_key_value_heads", in: 1...256)
        headDim = reader.integer("head_dim", in: 2...256)
        if headDim % 2 != 0 { reader.note("head_dim", "is odd") }
        if heads % keyHeads != 0 { reader.note("num_attention_heads", "is no multiple of num_key_value_heads") }
        if !dimension.contains(heads * headDim) { reader.note("num_attention_heads", "times head_dim is too large") }
        window = reader.integer("sliding_window", in: 1...1 << 20)
        perLayerWidth = reader.integer("hidden_size_per_layer_input", in: dimension)
        laurelRank = reader.integer("laurel_rank", in: dimension)
        scalesCorrection = reader.bool("altup_correct_scale", default: true)
        softCap = reader.number("final_logit_softcapping", in: 1e-3...1e6, default: 30)
        epsilon = reader.number("rms_norm_eps", in: 1e-12...1, default: 1e-6)
        positions = reader.integer("max_position_embeddings", in: 1...1 << 20, default: 32_768)
        (fullTheta, slidingTheta) = Self.thetas(reader)
        let problems = reader.problems.list.count
        storedLayers = reader.integer("num_hidden_layers", in: 1...Self.maxLayers)
        layers = []
        if problems == reader.problems.list.count { layers = readLayers(reader) }
        refuseWhatWeCannotRun(reader)
    }

    private func readLayers(_ reader: ConfigReader) -> [Layer] {
        let count = storedLayers
        let sliding = "sliding_attention"
        let widths = reader.integers("intermediate_size", count: count, in: 1...16_384)
        let kinds = reader.texts(
            "layer_types", count: count, from: [sliding, "full_attention"],
            default: (1...count).map { $0 % 5 == 0 ? "full_attention" : sliding })
        let sparsities = reader.numbers(
            "activation_sparsity_pattern", count: count, in: 0..<1,
            default: (0..<count).map { count > 10 && $0 < 10 ? 0.95 : 0 })
        let shared = reader.integer("num_kv_shared_layers", in: 0...Self.maxLayers)
        if shared >= count { reader.note("num_kv_shared_layers", "leaves no layer with keys and values") }
        let owners = max(count - shared, 1)
        return (0..<count).map { layer in
            var keyValueLayer = layer
            if layer >= owners {
                if let owner = (0..<owners).last(where: { kinds[$0] == kinds[layer] }) {
                    keyValueLayer = owner
                } else {
                    reader.note("layer_types", "gives shared layer \(layer) no layer to share with")
                }
            }
            return Layer(
                stored: layer, storedFeedForward: widths[layer], feedForward: widths[layer],
                isSliding: kinds[layer] == sliding, sparsity: sparsities[layer], keyValueLayer: keyValueLayer)
        }
    }

    /// Both spellings of the rotary bases.
    private static func thetas(_ reader: ConfigReader) -> (full: Double, sliding: Double) {
        let range = 1.0...1e12
        if let parameters = reader.object("rope_parameters") {
            func theta(_ kind: String, _ absent: Double) -> Double {
                guard let part = parameters.object(kind) else { return absent }
                part.require("rope_type", "default")
                return part.number("rope_theta", in: range, default: absent)
            }
            return (theta("full_attention", 1e6), theta("sliding_attention", 1e4))
        }
        if let scaling = reader.object("rope_scaling") { scaling.require("rope_type", "default") }
        return (
            reader.number("rope_theta", in: range, default: 1e6),
            reader.number("rope_local_base_freq", in: range, default: 1e4)
        )
    }

    private func refuseWhatWeCannotRun(_ reader: ConfigReader) {
        reader.require("hidden_activation", "gelu_pytorch_tanh")
        if reader.bool("attention_bias", default: false) { reader.note("attention_bias", "is true: not supported") }
        _ = reader.integer("altup_num_inputs", in: Self.streams...Self.streams, default: Self.streams)
        _ = reader.integer("altup_active_idx", in: 0...0, default: 0)
    }
}
