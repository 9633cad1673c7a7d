extension VisionBlock {
    private static let maxRepeats = 64
    /// Channels of a picture between two blocks.
    static let channels = 1...4_096
    /// The longest row of a matrix product.
    static let hiddenChannels = 1...16_384

    /// Reads one entry of `block_args`: an object of timm's arguments, or its notation for one or several equal blocks.
    ///
    /// - Parameters:
    ///   - inputs: Channels that come in.
    ///   - multiplier: Of all channel counts.
    ///   - reader: Where problems are noted, under `name`.
    static func read(
        _ value: ConfigValue, inputs: Int, multiplier: Double, name: String, reader: ConfigReader
    ) -> [VisionBlock] {
        let members: [String: ConfigValue]
        var repeats = 1
        switch value {
        case .object(let object): members = object
        case .text(let text):
            guard let decoded = decode(text) else {
                reader.note(name, "is no block that can be run: '\(text.prefix(60))'")
                return []
            }
            (members, repeats) = (decoded.members, decoded.repeats)
        default:
            reader.note(name, "is neither a block nor the notation of one")
            return []
        }
        let block = ConfigReader(members, path: "\(reader.path)\(name).", problems: reader.problems)
        var (blocks, width): ([VisionBlock], Int) = ([], inputs)
        for _ in 0..<repeats {
            let problems = reader.problems.list.count
            guard let made = VisionBlock(block, inputs: width, multiplier: multiplier, isRepeated: !blocks.isEmpty),
                problems == reader.problems.list.count
            else { return blocks }
            blocks.append(made)
            width = made.outputs
        }
        return blocks
    }

    /// - Parameter isRepeated: Only the first of equal blocks has the stride.
    private init?(_ reader: ConfigReader, inputs: Int, multiplier: Double, isRepeated: Bool) {
        for (key, absent) in [("act_layer", nil), ("aa_layer", nil)] as [(String, ConfigValue?)]
        where reader.value(key) != absent {
            reader.note(key, "is not null, the only one that is supported")
        }
        for key in ["se_ratio", "force_in_chs", "dw_kernel_size_end", "s2d"] {
            _ = reader.number(key, in: 0...0, default: 0)
        }
        _ = reader.integer("group_size", in: 0...1, default: 1)
        let requested = reader.integer("out_chs", in: Self.channels)
        let outputs = ChannelRounding.divisible(Double(requested) * multiplier)
        if !Self.channels.contains(outputs) { reader.note("out_chs", "times channel_multiplier is \(outputs)") }
        let stride = isRepeated ? 1 : reader.integer("stride", in: 1...2)
        let mayAdd = !reader.bool("noskip", default: false)
        let isResidual = mayAdd && inputs == outputs && stride == 1
        func hidden() -> Int {
            let ratio = reader.number("exp_ratio", in: 0.01...64, default: 1)
            let channels = ChannelRounding.divisible(Double(inputs) * ratio)
            if !Self.hiddenChannels.contains(channels) { reader.note("exp_ratio", "gives \(channels) channels") }
            return channels
        }
        func kernel(_ key: String, from kernels: [Int], default absent: Int) -> Int {
            let kernel = reader.integer(key, in: 0...9, default: absent)
            if kernels.contains(kernel) { return kernel }
            reader.note(key, "is none of \(kernels.map(String.init).joined(separator: ", "))")
            return 3
        }
        switch reader.value("block_type") {
        case .text("er"):
            let kernel = kernel("exp_kernel_size", from: [1, 3, 5], default: 3)
            if !Self.hiddenChannels.contains(kernel * kernel * inputs) {
                reader.note("exp_kernel_size", "times the \(inputs) channels is too large")
            }
            _ = reader.integer("pw_kernel_size", in: 1...1, default: 1)
            self = .edge(
                Edge(
                    inputs: inputs, hidden: hidden(), outputs: outputs, kernel: kernel, stride: stride,
                    isResidual: isResidual))
        case .text("uir"):
            let start = kernel("dw_kernel_size_start", from: [0, 3, 5], default: 0)
            let middle = kernel("dw_kernel_size_mid", from: [0, 3, 5], default: 3)
            if stride > 1, start == 0, middle == 0 { reader.note("stride", "has no convolution to be on") }
            self = .inverted(
                Inverted(
                    inputs: inputs, hidden: hidden(), outputs: outputs, start: start, middle: middle, stride: stride,
                    isResidual: isResidual))
        case .text("mqa"):
            if stride != 1 { reader.note("stride", "is not 1") }
            if inputs != outputs { reader.note("out_chs", "is \(outputs), and \(inputs) come in") }
            let heads = reader.integer("num_heads", in: 1...256)
            let headDim = reader.integer("key_dim", in: 1...256)
            if reader.integer("value_dim", in: 1...256, default: headDim) != headDim {
                reader.note("value_dim", "is not key_dim")
            }
            if !Self.hiddenChannels.contains(heads * headDim) { reader.note("num_heads", "times key_dim is too large") }
            self = .attention(
                Attention(
                    width: inputs, heads: heads, headDim: headDim,
                    keyKernel: kernel("dw_kernel_size", from: [3, 5], default: 3),
                    keyStride: reader.integer("kv_stride", in: 1...2, default: 1), isResidual: isResidual))
        default:
            reader.note("block_type", "is none of er, uir, mqa")
            return nil
        }
    }

    /// `uir_r1_a3_k5_s2_e6_c256` as the arguments that it stands for.
    private static func decode(_ text: String) -> (members: [String: ConfigValue], repeats: Int)? {
        let words = text.split(separator: "_", omittingEmptySubsequences: false)
        var options: [String: Double] = [:]
        var isSkipless = false
        for word in words.dropFirst() {
            if word == "noskip" {
                isSkipless = true
                continue
            }
            let key = word.prefix { $0.isLetter }
            guard !key.isEmpty, let number = Double(word.dropFirst(key.count)), number.isFinite else { return nil }
            options[String(key)] = number
        }
        guard let type = words.first, let keys = optionKeys[String(type)],
            let repeats = Int(exactly: options["r"] ?? 1),
            (1...maxRepeats).contains(repeats)
        else { return nil }
        var members: [String: ConfigValue] = ["block_type": .text(String(type)), "noskip": .bool(isSkipless)]
        options["r"] = nil
        for (key, number) in options {
            guard let name = keys[key] else { return nil }
            members[name] = .number(number)
        }
        return (members, repeats)
    }

    private static let optionKeys: [String: [String: String]] = [
        "er": ["k": "exp_kernel_size", "s": "stride", "e": "exp_ratio", "c": "out_chs", "se": "se_ratio"],
        "uir": [
            "a": "dw_kernel_size_start", "k": "dw_kernel_size_mid", "p": "dw_kernel_size_end", "s": "stride",
            "e": "exp_ratio", "c": "out_chs", "se": "se_ratio"
        ],
        "mqa": [
            "k": "dw_kernel_size", "h": "num_heads", "d": "key_dim", "v": "kv_stride", "s": "stride", "c": "out_chs"
        ]
    ]
}
