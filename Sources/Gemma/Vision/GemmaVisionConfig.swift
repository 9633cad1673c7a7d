/// Dimensions of the picture encoder, every number within bounds.
///
/// The architecture's name gives the network, `model_args` may change its parts; other networks are refused.
package struct GemmaVisionConfig: Sendable, Equatable {
    package var stem: Int  // stem_size: channels behind the first convolution
    /// Blocks by stage; the first of each halves the sides.
    package var stages: [[VisionBlock]]
    package var outputSide: Int  // msfa_output_resolution
    /// Channels of the network's output.
    package var width: Int  // hidden_size
    /// Ids of the vision vocabulary: `vocabularyOffset`..<`vocabularyOffset` + `vocabulary`.
    package var vocabulary: Int  // vocab_size
    package var vocabularyOffset: Int  // vocab_offset
    /// Of the norms in front of the text model; those of the network have 1e-6.
    package var epsilon: Double  // rms_norm_eps

    /// Tokens of every picture.
    package var tokens: Int { outputSide * outputSide }

    /// The two maps that the neck joins: channels of the last stage but one, and of the last.
    package var fusedWidths: [Int] { stages.suffix(2).map { $0.last?.outputs ?? 0 } }

    /// Channels inside the neck.
    package var fusedHidden: Int { ChannelRounding.divisible(2 * Double(fusedWidths.reduce(0, +))) }

    /// Side of the map that a picture of `side` pixels has behind `halvings` strides of 2.
    package static func side(_ side: Int, halvings: Int) -> Int {
        (0..<halvings).reduce(side) { side, _ in (side + 1) / 2 }
    }
}

extension GemmaVisionConfig {
    /// The largest picture, in pixels along a side; what the network was trained with.
    package static let maxSide = 768
    /// Most numbers of a map at that size, four times what the published model has.
    private static let maxMapNumbers = 1 << 25
    private static let maxKeys = 4_096

    /// - Throws: As `init(_:source:)`, and `GemmaError.missing`.
    package init(file: String) throws(GemmaError) { try self.init(ConfigReader.values(file: file), source: file) }

    /// - Parameters:
    ///   - values: The members of a `config.json`.
    ///   - file: What messages name.
    /// - Throws: `GemmaError.badConfig` with every problem, also where there is no encoder.
    init(_ values: [String: ConfigValue], source file: String) throws(GemmaError) {
        let top = ConfigReader(values)
        guard let reader = top.object("vision_config") else {
            throw .badConfig(
                file: file,
                problems: top.problems.list.isEmpty ? ["it has no vision_config"] : top.problems.list)
        }
        let tokens = top.integer("vision_soft_tokens_per_image", in: 1...65_536, default: 256)
        self.init(reader)
        if reader.problems.list.isEmpty, self.tokens != tokens {
            top.note("vision_soft_tokens_per_image", "is \(tokens), and the encoder makes \(self.tokens)")
        }
        guard reader.problems.list.isEmpty else { throw .badConfig(file: file, problems: reader.problems.list) }
    }

    private init(_ reader: ConfigReader) {
        reader.require("architecture", "mobilenetv5_300m_enc")
        width = reader.integer("hidden_size", in: 1...16_384, default: 2_048)
        vocabulary = reader.integer("vocab_size", in: 1...1 << 20, default: 128)
        vocabularyOffset = reader.integer("vocab_offset", in: 0...1 << 21, default: 262_144)
        epsilon = reader.number("rms_norm_eps", in: 1e-12...1, default: 1e-6)
        if reader.bool("do_pooling", default: false) { reader.note("do_pooling", "is true") }
        let arguments = reader.object("model_args") ?? ConfigReader([:], problems: reader.problems)
        let multiplier = arguments.number("channel_multiplier", in: 0.05...8, default: 1)
        outputSide = arguments.integer("msfa_output_resolution", in: 1...48, default: 16)
        let stem = arguments.integer("stem_size", in: VisionBlock.channels, default: 64)
        // fix_stem: a network that is made narrower keeps its stem.
        self.stem = multiplier < 1 ? stem : ChannelRounding.divisible(Double(stem) * multiplier)
        stages = []
        let known = ["channel_multiplier", "msfa_output_resolution", "stem_size", "block_args"]
        for key in arguments.keys where !known.contains(key) {
            arguments.note(key, "is not supported; known are \(known.joined(separator: ", "))")
        }
        stages = readStages(arguments, multiplier: multiplier)
        if reader.problems.list.isEmpty { check(arguments) }
    }

    private func readStages(_ reader: ConfigReader, multiplier: Double) -> [[VisionBlock]] {
        let stored =
            reader.value("block_args")
            ?? .list(
                VisionBlock.stages300M.map { .list($0.map { .text($0) }) })
        guard case .list(let list) = stored, (2...4).contains(list.count) else {
            reader.note("block_args", "is no list of 2 to 4 stages")
            return []
        }
        var (stages, width): ([[VisionBlock]], Int) = ([], stem)
        for (index, stage) in list.enumerated() {
            guard case .list(let entries) = stage, (1...256).contains(entries.count) else {
                reader.note("block_args[\(index)]", "is no list of 1 to 256 blocks")
                return []
            }
            var blocks: [VisionBlock] = []
            for (place, entry) in entries.enumerated() {
                let name = "block_args[\(index)][\(place)]"
                let read = VisionBlock.read(entry, inputs: width, multiplier: multiplier, name: name, reader: reader)
                guard let last = read.last else { return [] }
                blocks += read
                width = last.outputs
            }
            guard blocks.map(\.stride) == [2] + Array(repeating: 1, count: blocks.count - 1) else {
                reader.note("block_args[\(index)]", "does not halve the sides in its first block alone")
                return []
            }
            stages.append(blocks)
        }
        return stages
    }

    /// Notes what would need more memory than any network of this kind does.
    private func check(_ reader: ConfigReader) {
        func check(_ channels: Int, halvings: Int) {
            let side = Self.side(Self.maxSide, halvings: halvings)
            if side * side * channels > Self.maxMapNumbers {
                reader.note("block_args", "makes \(side) x \(side) x \(channels) numbers, which is too many")
            }
        }
        check(stem, halvings: 1)
        for (index, blocks) in stages.enumerated() {
            for block in blocks {
                check(block.outputs, halvings: index + 2)
                guard case .attention(let attention) = block else { continue }
                check(attention.heads * attention.headDim, halvings: index + 2)
                let side = Self.side(Self.maxSide, halvings: index + 1 + attention.keyStride)
                if side * side > Self.maxKeys { reader.note("block_args", "attends to \(side * side) keys") }
            }
        }
        check(width, halvings: stages.count)
        if !VisionBlock.hiddenChannels.contains(fusedHidden) {
            reader.note("block_args", "joins \(fusedWidths.reduce(0, +)) channels, which is too many")
        }
    }
}
