/// One block of MobileNetV5 and its dimensions.
package enum VisionBlock: Sendable, Equatable {
    case edge(Edge)
    case inverted(Inverted)
    case attention(Attention)

    /// Edge residual (`er`): convolution k × k to `hidden`, norm, GELU, 1 × 1 to `outputs`, norm.
    package struct Edge: Sendable, Equatable {
        package var inputs, hidden, outputs, kernel, stride: Int
        /// Whether the input is added.
        package var isResidual: Bool
    }

    /// Universal inverted residual (`uir`): depthwise, norm; 1 × 1 to `hidden`, norm, GELU; depthwise, norm, GELU; 1 × 1 to
    /// `outputs`, norm, scale.
    package struct Inverted: Sendable, Equatable {
        package var inputs, hidden, outputs: Int
        /// Kernels of the two depthwise convolutions; 0: there is none. The stride is on the second where there is one.
        package var start, middle, stride: Int
        package var isResidual: Bool
    }

    /// Multi-query attention (`mqa`): all query heads read one head of keys and values, of fewer pixels if `keyStride` is 2.
    package struct Attention: Sendable, Equatable {
        package var width, heads, headDim, keyKernel, keyStride: Int
        package var isResidual: Bool
    }

    package var outputs: Int {
        switch self {
        case .edge(let edge): edge.outputs
        case .inverted(let inverted): inverted.outputs
        case .attention(let attention): attention.width
        }
    }

    package var stride: Int {
        switch self {
        case .edge(let edge): edge.stride
        case .inverted(let inverted): inverted.stride
        case .attention: 1
        }
    }

    /// The stages of `mobilenetv5_300m_enc`, in timm's notation: type, r repeats, a and k kernels, s stride, e expansion,
    /// h heads of d, v stride of keys, c outputs.
    static let stages300M: [[String]] = [
        ["er_r1_k3_s2_e4_c128", "er_r2_k3_s1_e4_c128"],
        [
            "uir_r1_a3_k5_s2_e6_c256", "uir_r1_a5_k0_s1_e4_c256", "uir_r1_a3_k0_s1_e4_c256", "uir_r1_a5_k0_s1_e4_c256",
            "uir_r1_a3_k0_s1_e4_c256"
        ],
        ["uir_r1_a5_k5_s2_e6_c640", "uir_r7_a5_k0_s1_e4_c640", "uir_r1_a0_k0_s1_e1_c640"]
            + Array(repeating: ["mqa_r1_k3_h12_v2_s1_d64_c640", "uir_r1_a0_k0_s1_e2_c640"], count: 14).joined(),
        ["uir_r1_a5_k5_s2_e6_c1280"]
            + Array(repeating: ["mqa_r1_k3_h16_s1_d96_c1280", "uir_r1_a0_k0_s1_e2_c1280"], count: 19).joined()
    ]
}

/// How timm rounds channels.
enum ChannelRounding {
    /// make_divisible: the nearest multiple of 8, the next one where that would lose more than a tenth.
    static func divisible(_ channels: Double) -> Int {
        let nearest = max(8, Int(channels + 4) / 8 * 8)
        return Double(nearest) < 0.9 * channels ? nearest + 8 : nearest
    }
}
