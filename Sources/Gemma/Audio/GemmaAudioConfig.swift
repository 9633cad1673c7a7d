/// Dimensions of the audio encoder, every number within bounds.
package struct GemmaAudioConfig: Sendable, Equatable {
    package var width: Int  // hidden_size
    package var melBins: Int  // input_feat_size
    package var layers: Int  // conf_num_hidden_layers
    package var heads: Int  // conf_num_attention_heads
    /// Frames that a query sees, its own included.
    package var window: Int  // conf_attention_context_left
    package var logitCap: Double  // conf_attention_logit_cap
    package var taps: Int  // conf_conv_kernel_size
    /// Frames to a token.
    package var reduction: Int  // conf_reduction_factor
    package var residualWeight: Double  // conf_residual_weight
    /// Of the two convolutions.
    package var channels: [Int]  // sscp_conv_channel_size
    package var convolutionEpsilon: Double  // sscp_conv_group_norm_eps
    package var epsilon: Double  // rms_norm_eps
    /// Ids that are sounds: so many, from this one on.
    package var vocabulary: Int  // vocab_size
    package var vocabularyOffset: Int  // vocab_offset

    package var headDim: Int { width / heads }

    /// Bins behind `convolutions` of the two, each of which halves them.
    package func bins(behind convolutions: Int) -> Int {
        (0..<convolutions).reduce(melBins) { bins, _ in (bins + 1) / 2 }
    }
}

extension GemmaAudioConfig {
    private static let maxInputs = 16_384  // the longest row of a matrix product

    /// Reads `audio_config`; what is not there is as published.
    init(_ reader: ConfigReader) {
        width = reader.integer("hidden_size", in: 2...Self.maxInputs / 4, default: 1_536)
        melBins = reader.integer("input_feat_size", in: 4...1_024, default: 128)
        layers = reader.integer("conf_num_hidden_layers", in: 1...256, default: 12)
        heads = reader.integer("conf_num_attention_heads", in: 1...256, default: 8)
        if width % heads != 0 { reader.note("hidden_size", "is no multiple of conf_num_attention_heads") }
        if width % 2 != 0 { reader.note("hidden_size", "is odd") }
        window = reader.integer("conf_attention_context_left", in: 1...128, default: 13)
        logitCap = reader.number("conf_attention_logit_cap", in: 1e-3...1e6, default: 50)
        taps = reader.integer("conf_conv_kernel_size", in: 1...64, default: 5)
        reduction = reader.integer("conf_reduction_factor", in: 1...64, default: 4)
        residualWeight = reader.number("conf_residual_weight", in: -100...100, default: 0.5)
        channels = [128, 32]
        if reader.value("sscp_conv_channel_size") != nil {
            channels = reader.integers("sscp_conv_channel_size", count: 2, in: 1...1_024)
        }
        let early = reader.number("sscp_conv_eps", in: 1e-12...1, default: 1e-3)
        convolutionEpsilon = reader.number("sscp_conv_group_norm_eps", in: 1e-12...1, default: early)
        epsilon = reader.number("rms_norm_eps", in: 1e-12...1, default: 1e-6)
        vocabulary = reader.integer("vocab_size", in: 1...1 << 16, default: 128)
        vocabularyOffset = reader.integer("vocab_offset", in: 0...1 << 22, default: 262_272)
        if bins(behind: 2) * channels[1] > Self.maxInputs {
            reader.note("sscp_conv_channel_size", "times the bins that are left is too large")
        }
        Self.refuseWhatWeCannotRun(reader)
    }

    private static func refuseWhatWeCannotRun(_ reader: ConfigReader) {
        _ = reader.integer("conf_attention_context_right", in: 0...0, default: 0)
        // Far above what floats of a forward pass reach: it clips nothing, and we do not clip.
        _ = reader.number("gradient_clipping", in: 1e6...1e300, default: 1e10)
        for (key, size) in [("sscp_conv_kernel_size", 3.0), ("sscp_conv_stride_size", 2.0)] {
            let square = ConfigValue.list([.number(size), .number(size)])
            if let value = reader.value(key), value != .list([square, square]) {
                reader.note(key, "is not [[\(Int(size)), \(Int(size))]] twice, the only one that is supported")
            }
        }
    }
}
