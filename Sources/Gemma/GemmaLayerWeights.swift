import Kernels
import Layers

/// One decoder layer.
struct GemmaLayerWeights: Sendable {
    let inputNorm: RMSNorm
    let attention: Attention
    let laurelLeft: Linear  // [rank, D]
    let laurelRight: Linear  // [D, rank]
    let laurelNorm: RMSNorm
    let altUp: AltUp
    let feedForwardNorm: RMSNorm
    let feedForward: FeedForward
    let postFeedForwardNorm: RMSNorm
    let perLayerGate: Linear  // [P, D]
    let perLayerProjection: Linear  // [D, P]
    let perLayerNorm: RMSNorm

    struct Attention: Sendable {
        let query: Linear  // [H·d, D]
        let queryNorm: RMSNorm
        /// Nil where the layer attends to another one's.
        let keyValue: KeyValue?
        let output: Linear  // [D, H·d]
        let postNorm: RMSNorm
    }

    struct KeyValue: Sendable {
        let key: Linear  // [G·d, D]
        let value: Linear
        let keyNorm: RMSNorm
        let valueNorm: RMSNorm
    }

    /// Predicts what a layer does to all streams from what it does to one (Baykal et al. 2023).
    struct AltUp: Sendable {
        let routerNorm: RMSNorm
        let router: Tensor<Float>  // [4, D]
        let prediction: [Float]  // [16, 4]: row 4i + j, output stream i, input stream j
        let correction: [Float]  // [4, 4]
        let outputScale: Tensor<Float>  // [1, D]; ones if the model does not scale
    }

    enum FeedForward: Sendable {
        case dense(gate: Linear, up: Linear, down: Linear)
        /// Gate entries below mean + `deviations` · deviation are cut off; `up` and `down` are [F, D], down transposed.
        case sparse(gate: Linear, up: RowTable, down: RowTable, deviations: Float)

        var width: Int {
            switch self {
            case .dense(let gate, _, _), .sparse(let gate, _, _, _): gate.outputs
            }
        }
    }

    init(index: Int, source: some GemmaTensorSource, config c: GemmaTextConfig) throws {
        let layer = c.layers[index]
        let reader = LayerReader(source: source, config: c, prefix: "layers.\(layer.stored).")
        inputNorm = try reader.norm("input_layernorm", c.width)
        var keyValue: KeyValue?
        if c.ownsKeyValues(index) {
            keyValue = KeyValue(
                key: try reader.linear("self_attn.k_proj", c.keyHeads * c.headDim, c.width),
                value: try reader.linear("self_attn.v_proj", c.keyHeads * c.headDim, c.width),
                keyNorm: try reader.norm("self_attn.k_norm", c.headDim),
                valueNorm: RMSNorm(width: c.headDim, epsilon: Float(c.epsilon)))
        }
        attention = Attention(
            query: try reader.linear("self_attn.q_proj", c.heads * c.headDim, c.width),
            queryNorm: try reader.norm("self_attn.q_norm", c.headDim), keyValue: keyValue,
            output: try reader.linear("self_attn.o_proj", c.width, c.heads * c.headDim),
            postNorm: try reader.norm("post_attention_layernorm", c.width))
        laurelLeft = try reader.linear("laurel.linear_left", c.laurelRank, c.width)
        laurelRight = try reader.linear("laurel.linear_right", c.width, c.laurelRank)
        laurelNorm = try reader.norm("laurel.post_laurel_norm", c.width)
        altUp = try reader.altUp()
        feedForwardNorm = try reader.norm("pre_feedforward_layernorm", c.width)
        feedForward = try reader.feedForward(layer)
        postFeedForwardNorm = try reader.norm("post_feedforward_layernorm", c.width)
        perLayerGate = try reader.linear("per_layer_input_gate", c.perLayerWidth, c.width)
        perLayerProjection = try reader.linear("per_layer_projection", c.width, c.perLayerWidth)
        perLayerNorm = try reader.norm("post_per_layer_input_norm", c.width)
    }
}

/// Reads weights under one prefix.
struct LayerReader<Source: GemmaTensorSource> {
    let source: Source
    let config: GemmaTextConfig
    let prefix: String

    func linear(_ name: String, _ outputs: Int, _ inputs: Int) throws -> Linear {
        try source.linear(MatrixPart("\(prefix)\(name).weight", rows: outputs, columns: inputs))
    }

    func norm(_ name: String, _ width: Int) throws -> RMSNorm {
        RMSNorm(
            weight: try source.floats("\(prefix)\(name).weight", shape: [width]), epsilon: Float(config.epsilon))
    }

    func altUp() throws -> GemmaLayerWeights.AltUp {
        let (streams, width) = (GemmaTextConfig.streams, config.width)
        let router = try source.floats("\(prefix)altup.modality_router.weight", shape: [streams, width])
        let ones = [Float](repeating: 1, count: width)
        return GemmaLayerWeights.AltUp(
            routerNorm: try norm("altup.router_norm", width), router: Tensor(router, shape: streams, width),
            prediction: try source.floats(
                "\(prefix)altup.prediction_coefs.weight", shape: [streams * streams, streams]),
            correction: try source.floats("\(prefix)altup.correction_coefs.weight", shape: [streams, streams]),
            outputScale: Tensor(
                config.scalesCorrection
                    ? try source.floats("\(prefix)altup.correct_output_scale", shape: [width]) : ones,
                shape: 1, width))
    }

    func feedForward(_ layer: GemmaTextConfig.Layer) throws -> GemmaLayerWeights.FeedForward {
        let rows = MatrixPart(
            "\(prefix)mlp.up_proj.weight", rows: layer.storedFeedForward, columns: config.width,
            keptRows: [0..<layer.feedForward])
        let down = MatrixPart(
            "\(prefix)mlp.down_proj.weight", rows: config.width, columns: layer.storedFeedForward,
            keptColumns: layer.feedForward)
        let gate = try source.linear(
            MatrixPart(
                "\(prefix)mlp.gate_proj.weight", rows: layer.storedFeedForward, columns: config.width,
                keptRows: [0..<layer.feedForward]))
        guard layer.sparsity > 0 else {
            return .dense(gate: gate, up: try source.linear(rows), down: try source.linear(down))
        }
        return .sparse(
            gate: gate, up: try source.table(rows), down: try source.transposedTable(down),
            deviations: Float(normalQuantile(layer.sparsity)))
    }
}
