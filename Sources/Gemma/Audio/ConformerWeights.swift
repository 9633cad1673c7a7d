import Glibc
import Kernels
import Layers

/// One conformer block (Gulati et al. 2020): half a feed-forward, attention over the last frames, a light convolution,
/// half a feed-forward.
struct ConformerWeights: Sendable {
    let feedForwardStart: FeedForward
    let attention: Attention
    let convolution: Convolution
    let feedForwardEnd: FeedForward
    let norm: RMSNorm

    struct FeedForward: Sendable {
        let preNorm: RMSNorm
        let up: Linear  // [4D, D]
        let down: Linear  // [D, 4D]
        /// Times the weight of the residual.
        let postNorm: RMSNorm
    }

    struct Attention: Sendable {
        let preNorm: RMSNorm
        let query, key, value: Linear  // [D, D]
        let queryScale: [Float]  // [D]
        /// What is added to a key so many frames before the query: [window, D].
        let positions: Tensor<Float>
        let output: Linear  // [D, D]
        let postNorm: RMSNorm
    }

    struct Convolution: Sendable {
        let preNorm: RMSNorm
        let start: Linear  // [2D, D]: values, then their gates
        let filter: Tensor<Float>  // [taps, D], oldest first
        let norm: RMSNorm
        let end: Linear  // [D, D]
    }

    init(_ index: Int, _ reader: AudioTensors<some GemmaTensorSource>) throws {
        let block = reader.below("conformer.\(index).")
        feedForwardStart = try FeedForward(block.below("ffw_layer_start."))
        attention = try Attention(block.below("attention."))
        convolution = try Convolution(block.below("lconv1d."))
        feedForwardEnd = try FeedForward(block.below("ffw_layer_end."))
        norm = try block.norm("norm")
    }
}

extension ConformerWeights.FeedForward {
    init(_ reader: AudioTensors<some GemmaTensorSource>) throws {
        let (width, config) = (reader.config.width, reader.config)
        preNorm = try reader.norm("pre_layer_norm")
        up = try reader.linear("ffw_layer_1", 4 * width, width)
        down = try reader.linear("ffw_layer_2", width, 4 * width)
        postNorm = try reader.norm("post_layer_norm", times: Float(config.residualWeight))
    }
}

extension ConformerWeights.Attention {
    init(_ reader: AudioTensors<some GemmaTensorSource>) throws {
        let (width, config) = (reader.config.width, reader.config)
        preNorm = try reader.norm("pre_attn_norm")
        query = try reader.linear("attn.q_proj", width, width)
        key = try reader.linear("attn.k_proj", width, width)
        value = try reader.linear("attn.v_proj", width, width)
        output = try reader.linear("post", width, width)
        postNorm = try reader.norm("post_norm")
        // softplus(0) = ln 2: a scale of zero is the factor 1 / √d.
        let perDim = try reader.floats("attn.per_dim_scale", [config.headDim]).map { scale in
            let scale = Double(scale)
            let softplus = max(scale, 0) + log1p(exp(-abs(scale)))
            return Float(softplus / (M_LN2 * Double(config.headDim).squareRoot()))
        }
        queryScale = (0..<width).map { perDim[$0 % config.headDim] }
        let projection = try reader.linear("attn.relative_position_embedding.pos_proj", width, width)
        positions = Self.positions(projection, config)
    }

    /// The projected sinusoids of all distances, sines first.
    private static func positions(_ projection: Linear, _ config: GemmaAudioConfig) -> Tensor<Float> {
        let (width, half) = (config.width, config.width / 2)
        let sinusoids = Tensor<Float>(config.window, width, filledWith: 0)
        for distance in 0..<config.window {
            for index in 0..<half {
                let angle = Double(distance) * exp(-Double(index) * log(1e4) / Double(max(half - 1, 1)))
                sinusoids[distance, index] = Float(sin(angle))
                sinusoids[distance, half + index] = Float(cos(angle))
            }
        }
        // Row by row in floats: quantised weights would round the sinusoids too.
        let positions = Tensor<Float>(config.window, width, filledWith: 0)
        let weights = Tensor<Float>(1, width, filledWith: 0)
        for output in 0..<width {
            var row = weights.mutableSpan
            projection.copyWeights(ofOutput: output, into: &row)
            for distance in 0..<config.window {
                positions[distance, output] = dot(weights.span, sinusoids.row(distance))
            }
        }
        return positions
    }
}

extension ConformerWeights.Convolution {
    init(_ reader: AudioTensors<some GemmaTensorSource>) throws {
        let (width, taps) = (reader.config.width, reader.config.taps)
        preNorm = try reader.norm("pre_layer_norm")
        start = try reader.linear("linear_start", 2 * width, width)
        let weights = try reader.floats("depthwise_conv1d.weight", [width, 1, taps])
        filter = Tensor((0..<taps * width).map { weights[$0 % width * taps + $0 / width] }, shape: taps, width)
        norm = try reader.norm("conv_norm")
        end = try reader.linear("linear_end", width, width)
    }
}

/// Reads tensors under one prefix.
struct AudioTensors<Source: GemmaTensorSource> {
    let source: Source
    let config: GemmaAudioConfig
    let prefix: String

    func below(_ part: String) -> AudioTensors {
        AudioTensors(source: source, config: config, prefix: prefix + part)
    }

    func floats(_ name: String, _ shape: [Int]) throws -> [Float] {
        try source.floats(prefix + name, shape: shape)
    }

    func linear(_ name: String, _ outputs: Int, _ inputs: Int) throws -> Linear {
        try source.linear(MatrixPart("\(prefix)\(name).weight", rows: outputs, columns: inputs))
    }

    func norm(_ name: String, times factor: Float = 1) throws -> RMSNorm {
        let weight = try floats("\(name).weight", [config.width])
        return RMSNorm(weight: factor == 1 ? weight : weight.map { $0 * factor }, epsilon: Float(config.epsilon))
    }
}
