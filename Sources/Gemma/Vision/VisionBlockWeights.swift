import Kernels
import Layers

/// The weights of one block. Norms are over the channels of a pixel and are called bn in the tensors' names.
enum VisionBlockWeights: Sendable {
    case edge(EdgeWeights)
    case inverted(InvertedWeights)
    case attention(AttentionWeights)

    init(_ block: VisionBlock, _ reader: VisionReader<some GemmaTensorSource>) throws {
        switch block {
        case .edge(let shape): self = .edge(try EdgeWeights(shape, reader))
        case .inverted(let shape): self = .inverted(try InvertedWeights(shape, reader))
        case .attention(let shape): self = .attention(try AttentionWeights(shape, reader))
        }
    }
}

struct EdgeWeights: Sendable {
    let shape: VisionBlock.Edge
    let expand: Linear  // [hidden, kernel · kernel · inputs]
    let expandNorm: RMSNorm
    let project: Linear  // [outputs, hidden]
    let projectNorm: RMSNorm

    init(_ shape: VisionBlock.Edge, _ reader: VisionReader<some GemmaTensorSource>) throws {
        self.shape = shape
        expand = try reader.convolution("conv_exp", shape.hidden, shape.inputs, kernel: shape.kernel)
        expandNorm = try reader.norm("bn1", shape.hidden)
        project = try reader.convolution("conv_pwl", shape.outputs, shape.hidden)
        projectNorm = try reader.norm("bn2", shape.outputs)
    }
}

struct InvertedWeights: Sendable {
    struct Filter: Sendable {
        let filter: DepthwiseFilter
        let norm: RMSNorm
    }

    let shape: VisionBlock.Inverted
    let start: Filter?
    let expand: Linear  // [hidden, inputs]
    let expandNorm: RMSNorm
    let middle: Filter?
    let project: Linear  // [outputs, hidden]
    /// The scale of the layer is part of the norm's weight.
    let projectNorm: RMSNorm

    init(_ shape: VisionBlock.Inverted, _ reader: VisionReader<some GemmaTensorSource>, isScaled: Bool = true) throws {
        self.shape = shape
        start = try reader.filter("dw_start", shape.inputs, kernel: shape.start)
        expand = try reader.convolution("pw_exp.conv", shape.hidden, shape.inputs)
        expandNorm = try reader.norm("pw_exp.bn", shape.hidden)
        middle = try reader.filter("dw_mid", shape.hidden, kernel: shape.middle)
        project = try reader.convolution("pw_proj.conv", shape.outputs, shape.hidden)
        projectNorm = try reader.norm("pw_proj.bn", shape.outputs, scale: isScaled ? "layer_scale.gamma" : nil)
    }
}

struct AttentionWeights: Sendable {
    /// Keys or values.
    struct Shared: Sendable {
        /// Where keys are of fewer pixels.
        let shrink: InvertedWeights.Filter?
        let project: Linear  // [head dim, width]
    }

    let shape: VisionBlock.Attention
    let norm: RMSNorm
    let query: Linear  // [heads · head dim, width]
    let key, value: Shared
    let output: Linear  // [width, heads · head dim]
    let scale: Tensor<Float>  // [width]

    init(_ shape: VisionBlock.Attention, _ reader: VisionReader<some GemmaTensorSource>) throws {
        self.shape = shape
        let (width, inner) = (shape.width, shape.heads * shape.headDim)
        norm = try reader.norm("norm", width)
        query = try reader.convolution("attn.query.proj", inner, width)
        func shared(_ name: String) throws -> Shared {
            let kernel = shape.keyStride > 1 ? shape.keyKernel : 0
            return Shared(
                shrink: try reader.filter(
                    "attn.\(name)", width, kernel: kernel, convolution: "down_conv", norm: "norm"),
                project: try reader.convolution("attn.\(name).proj", shape.headDim, width))
        }
        (key, value) = (try shared("key"), try shared("value"))
        output = try reader.convolution("attn.output.proj", width, inner)
        scale = Tensor(try reader.vector("layer_scale.gamma", width), shape: width)
    }
}

/// Reads weights under one prefix.
struct VisionReader<Source: GemmaTensorSource> {
    let source: Source
    let prefix: String

    /// Of every norm of the network, whatever the config says.
    private static var epsilon: Float { 1e-6 }

    func at(_ prefix: String) -> VisionReader { VisionReader(source: source, prefix: self.prefix + prefix) }

    func vector(_ name: String, _ count: Int) throws -> [Float] { try source.floats(prefix + name, shape: [count]) }

    /// - Parameter scale: A vector that multiplies what comes out.
    func norm(_ name: String, _ width: Int, scale: String? = nil) throws -> RMSNorm {
        var weight = try vector("\(name).weight", width)
        if let scale {
            for (index, factor) in try vector(scale, width).enumerated() { weight[index] *= factor }
        }
        return RMSNorm(weight: weight, epsilon: Self.epsilon)
    }

    func convolution(_ name: String, _ outputs: Int, _ inputs: Int, kernel: Int = 1) throws -> Linear {
        try source.linear(
            .convolution("\(prefix)\(name).weight", outputs: outputs, inputs: inputs, kernel: kernel))
    }

    /// A depthwise convolution and its norm; none if `kernel` is 0.
    func filter(
        _ name: String, _ channels: Int, kernel: Int, convolution: String = "conv", norm: String = "bn"
    ) throws -> InvertedWeights.Filter? {
        if kernel == 0 { return nil }
        let weights = try source.floats(
            "\(prefix)\(name).\(convolution).weight", shape: [channels, 1, kernel, kernel])
        return InvertedWeights.Filter(
            filter: DepthwiseFilter(weights: weights, bias: nil, channels: channels, kernel: kernel),
            norm: try self.norm("\(name).\(norm)", channels))
    }

    /// The first convolution: 27 inputs are no length that a quantised row has.
    func stem(channels: Int) throws -> Linear {
        let part = MatrixPart.convolution("\(prefix)conv_stem.conv.weight", outputs: channels, inputs: 3, kernel: 3)
        let bias = "\(prefix)conv_stem.conv.bias"
        return Linear(
            weights: try source.values(of: part),
            bias: source.contains(bias) ? try source.floats(bias, shape: [channels]) : nil, outputs: channels,
            inputs: part.columns, precision: .float32)
    }
}
