import Foundation
import Gemma
import Testing

struct VisionConfigTests {
    private typealias JSON = [String: Any]

    /// The picture encoder of a config.json with these members of `vision_config`.
    private func read(_ vision: [String: Any]?, tokens: Int = 256) throws -> GemmaVisionConfig {
        let folder = try TemporaryFolder()
        var config: JSON = ["model_type": "gemma3n", "vision_soft_tokens_per_image": tokens]
        config["vision_config"] = vision
        try JSONSerialization.data(withJSONObject: config).write(to: folder.url("config.json"))
        return try GemmaVisionConfig(file: folder.file("config.json"))
    }

    private static var published: JSON {
        [
            "architecture": "mobilenetv5_300m_enc", "hidden_size": 2_048, "model_args": NSNull(),
            "vocab_offset": 262_144,
            "vocab_size": 128, "label_names": ["LABEL_0"]
        ]
    }

    private func arguments(_ arguments: JSON) -> JSON { Self.published.merging(["model_args": arguments]) { $1 } }

    @Test func theNameGivesThePublishedNetwork() throws {
        let config = try read(Self.published)
        #expect(config.stages.map(\.count) == [3, 5, 37, 39])
        #expect(config.stem == 64 && config.tokens == 256)
        let outputs: [Int] = config.stages.compactMap { $0.last?.outputs }
        #expect(outputs == [128, 256, 640, 1_280])
        guard case .edge(let edge) = config.stages[0][0], case .inverted(let inverted) = config.stages[2][0],
            case .attention(let shrinking) = config.stages[2][9], case .attention(let attention) = config.stages[3][1]
        else {
            Issue.record("\(config.stages)")
            return
        }
        #expect((edge.inputs, edge.hidden, edge.outputs, edge.kernel, edge.stride) == (64, 256, 128, 3, 2))
        #expect((inverted.inputs, inverted.hidden, inverted.outputs) == (256, 1_536, 640))
        #expect((inverted.start, inverted.middle, inverted.stride) == (5, 5, 2))
        #expect(!inverted.isResidual)
        #expect((shrinking.width, shrinking.heads, shrinking.headDim, shrinking.keyStride) == (640, 12, 64, 2))
        #expect((attention.width, attention.heads, attention.headDim, attention.keyStride) == (1_280, 16, 96, 1))
        #expect(config.fusedWidths == [640, 1_280])
        #expect(config.fusedHidden == 3_840)
        #expect(config.vocabularyOffset == 262_144 && config.vocabulary == 128)
    }

    @Test func blocksAreObjectsOrTimmsNotation() throws {
        let object: JSON = [
            "block_type": "uir", "out_chs": 24, "stride": 2, "act_layer": NSNull(), "dw_kernel_size_start": 5,
            "dw_kernel_size_mid": 0, "dw_kernel_size_end": 0, "exp_ratio": 4.0, "se_ratio": 0.0, "noskip": false
        ]
        let objects = try read(arguments(["block_args": [[object], [object], [object]]]))
        let words = try read(
            arguments(["block_args": Array(repeating: ["uir_r1_a5_k0_s2_e4_c24"], count: 3)]))
        #expect(objects == words)
        let repeated = try read(
            arguments(["block_args": [["er_r3_k3_s2_e4_c16"], ["uir_r2_k3_s2_e2_c16_noskip"], ["er_r1_k3_s2_e4_c16"]]]))
        let strides: [[Int]] = repeated.stages.map { $0.map(\.stride) }
        #expect(strides == [[2, 1, 1], [2, 1], [2]])
        guard case .inverted(let last) = repeated.stages[1][1] else { throw GemmaError.missing(file: "uir") }
        #expect(!last.isResidual && last.middle == 3)
    }

    @Test func channelsAreRoundedAsTimmDoes() throws {
        let blocks = [["er_r1_k3_s2_e4_c16"], ["er_r1_k3_s2_e4_c12"], ["er_r1_k3_s2_e4_c20"]]
        let plain = try read(arguments(["block_args": blocks]))
        #expect(plain.fusedWidths == [16, 24])
        let half = try read(arguments(["channel_multiplier": 0.5]))
        #expect(half.stem == 64)
        #expect(half.fusedWidths == [320, 640])
        let double = try read(arguments(["channel_multiplier": 2, "block_args": blocks]))
        #expect(double.stem == 128)
        #expect(double.fusedWidths == [24, 40])
    }

    @Test func tokensAreThoseOfTheWholeModel() throws {
        #expect(try read(arguments(["msfa_output_resolution": 4]), tokens: 16).tokens == 16)
        #expect(throws: GemmaError.self) { try read(arguments(["msfa_output_resolution": 4])) }
    }

    @Test func aModelOfTextAloneSaysSo() {
        #expect(throws: GemmaError.self) { try read(nil) }
    }

    /// One problem each, and what the message names.
    private static var hostile: [(JSON, String)] {
        [
            (["architecture": "resnet50"], "architecture"), (["hidden_size": 0], "hidden_size"),
            (["hidden_size": 1e9], "hidden_size"), (["rms_norm_eps": -1], "rms_norm_eps"),
            (["vocab_size": 1.5], "vocab_size"), (["do_pooling": true], "do_pooling"),
            (["model_args": "er"], "model_args"),
            (["model_args": ["drop_rate": 0.5]], "drop_rate"), (["model_args": ["stem_size": -1]], "stem_size"),
            (["model_args": ["stem_size": 512]], "numbers"),
            (["model_args": ["channel_multiplier": 1e9]], "channel_mult"),
            (["model_args": ["channel_multiplier": 8]], "channel_multiplier"),
            (["model_args": ["msfa_output_resolution": 0]], "msfa_output_resolution"),
            (["model_args": ["block_args": []]], "2 to 4 stages"),
            (["model_args": ["block_args": [[], []]]], "1 to 256"),
            (["model_args": ["block_args": Array(repeating: ["er_r1_k3_s2_e4_c16"], count: 5)]], "2 to 4 stages")
        ]
    }

    private static var hostileBlocks: [(Any, String)] {
        [
            ("ir_r1_k3_s2_e4_c16", "no block"), ("er_r1_k3_s1_e4_c16", "halve"), ("er_r0_k3_s2_e4_c16", "no block"),
            ("er_r99999999_k3_s2_e4_c16", "no block"), ("er_r1_k3_s2_e4_c99999999", "out_chs"),
            ("er_r1_k3_s2_e1e300_c16", "exp_ratio"), ("er_r1_k3_s2_enan_c16", "no block"),
            ("er_r1_k3_s2_e0_c16", "exp_ratio"),
            ("er_r1_k4_s2_e4_c16", "exp_kernel_size"), ("er_r1_k3_s3_e4_c16", "stride"), ("", "no block"),
            ("uir_r1_a7_k3_s2_e4_c16", "dw_kernel_size_start"), ("uir_r1_a0_k0_s2_e4_c16", "stride"),
            ("mqa_r1_k3_h2_s2_d8_c16", "stride"), (17, "neither"),
            (["block_type": "mqa", "stride": 2, "out_chs": 16], "stride"),
            (["block_type": "er", "stride": 2], "out_chs"),
            (["block_type": 3, "stride": 2, "out_chs": 16], "block_type"),
            (["block_type": "er", "stride": 2, "out_chs": 16, "se_ratio": 0.25], "se_ratio"),
            (["block_type": "er", "stride": 2, "out_chs": 16, "act_layer": "relu"], "act_layer"),
            (["block_type": "uir", "stride": 2, "out_chs": 16, "group_size": 4], "group_size"),
            (["block_type": "uir", "stride": 2, "out_chs": 16, "noskip": "yes"], "noskip")
        ]
    }

    private func expectRefusal(_ vision: JSON, naming word: String) {
        do {
            _ = try read(Self.published.merging(vision) { $1 })
            Issue.record("\(vision) was taken")
        } catch let error as GemmaError {
            guard case .badConfig(_, let problems) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(problems.contains { $0.contains(word) }, "\(problems) of \(vision)")
        } catch { Issue.record("\(error)") }
    }

    @Test(arguments: hostile.indices) func hostileValuesAreRefused(index: Int) {
        expectRefusal(Self.hostile[index].0, naming: Self.hostile[index].1)
    }

    @Test(arguments: hostileBlocks.indices) func hostileBlocksAreRefused(index: Int) {
        let (block, word) = Self.hostileBlocks[index]
        expectRefusal(["model_args": ["block_args": [[block], ["er_r1_k3_s2_e4_c16"]]]], naming: word)
    }

    @Test func attentionOverTooManyKeysIsRefused() {
        let blocks = [["er_r1_k3_s2_e4_c16"], ["er_r1_k3_s2_e4_c16", "mqa_r1_k3_h2_s1_d8_c16"]]
        expectRefusal(["model_args": ["block_args": blocks]], naming: "keys")
    }
}
