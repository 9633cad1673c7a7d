import Foundation
import Gemma
import Testing

struct ConfigTests {
    /// config.json with `text_config` and other keys changed; nil removes a key.
    private func read(text: [String: Any?] = [:], top: [String: Any?] = [:]) throws -> GemmaConfig {
        var textConfig: [String: Any] = [
            "vocab_size": 544, "vocab_size_per_layer_input": 512, "hidden_size": 64, "num_attention_heads": 4,
            "num_key_value_heads": 2, "head_dim": 16, "sliding_window": 8, "hidden_size_per_layer_input": 8,
            "laurel_rank": 8, "num_hidden_layers": 15, "num_kv_shared_layers": 5, "intermediate_size": 128,
            "activation_sparsity_pattern": [0.95] + Array(repeating: 0.0, count: 14), "rope_theta": 1e6
        ]
        textConfig.merge(text.compactMapValues { $0 }) { $1 }
        for key in text.keys where text[key]! == nil { textConfig[key] = nil }
        var config: [String: Any] = ["model_type": "gemma3n", "eos_token_id": [1, 106], "text_config": textConfig]
        config.merge(top.compactMapValues { $0 }) { $1 }
        for key in top.keys where top[key]! == nil { config[key] = nil }
        return try read(bytes: JSONSerialization.data(withJSONObject: config))
    }

    private func read(bytes: Data) throws -> GemmaConfig {
        let folder = FileManager.default.temporaryDirectory.appending(path: "gemma-config-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try bytes.write(to: folder.appending(path: "config.json"))
        return try GemmaConfig(folder: folder.path)
    }

    @Test func readsThePublishedStyle() throws {
        let config = try read(text: ["rope_theta": 5e5, "rope_local_base_freq": 2e4, "rope_scaling": NSNull()])
        #expect(config.endTokens == [1, 106] && config.imageToken == 262_145 && config.tokensPerImage == 256)
        #expect(config.text.fullTheta == 5e5 && config.text.slidingTheta == 2e4)
        let layers = config.text.layers
        #expect(layers.map(\.isSliding) == (1...15).map { $0 % 5 != 0 })
        #expect(layers.map(\.keyValueLayer) == Array(0..<10) + [8, 8, 8, 8, 9])
        #expect(config.text.lastKeyValueLayer == 9)
        #expect(layers.map(\.feedForward) == Array(repeating: 128, count: 15))
        #expect(layers.map(\.sparsity) == [0.95] + Array(repeating: 0, count: 14))
    }

    @Test func readsTheNewerStyle() throws {
        let rope: [String: Any] = [
            "full_attention": ["rope_type": "default", "rope_theta": 5e5],
            "sliding_attention": ["rope_type": "default", "rope_theta": 2e4]
        ]
        let config = try read(
            text: ["rope_parameters": rope, "rope_theta": nil, "dtype": "bfloat16"], top: ["eos_token_id": 1])
        #expect(config.text.fullTheta == 5e5 && config.text.slidingTheta == 2e4 && config.endTokens == [1])
    }

    @Test func absentPatternsAreThePublishedOnes() throws {
        let layers = try read(text: ["activation_sparsity_pattern": nil, "layer_types": NSNull()]).text.layers
        #expect(layers.map(\.sparsity) == Array(repeating: 0.95, count: 10) + Array(repeating: 0, count: 5))
        let few = try read(
            text: ["activation_sparsity_pattern": nil, "num_hidden_layers": 10]
        ).text.layers
        #expect(few.allSatisfy { $0.sparsity == 0 })
    }

    /// One wrong setting each, and the word that the message must hold.
    static let wrong: [(key: String, value: String)] = [
        ("hidden_size", "-1"), ("hidden_size", "0"), ("hidden_size", "1e300"), ("hidden_size", "64.5"),
        ("hidden_size", "\"64\""), ("hidden_size", "[64]"), ("hidden_size", "true"), ("hidden_size", "9000000000"),
        ("num_hidden_layers", "100000"), ("num_kv_shared_layers", "15"),
        ("num_kv_shared_layers", "14"), ("head_dim", "15"), ("num_attention_heads", "3"),
        ("intermediate_size", "[1, 2]"), ("intermediate_size", "[]"), ("layer_types", "[\"full\"]"),
        ("activation_sparsity_pattern", "[1.0]"), ("activation_sparsity_pattern", "0.95"),
        ("altup_num_inputs", "3"), ("altup_active_idx", "1"), ("attention_bias", "true"),
        ("hidden_activation", "\"silu\""), ("rms_norm_eps", "0"), ("final_logit_softcapping", "-30"),
        ("rope_theta", "0"), ("rope_scaling", "{\"rope_type\": \"yarn\"}"), ("vocab_size_per_layer_input", "545"),
        ("sliding_window", "0"), ("max_position_embeddings", "1e18"), ("laurel_rank", "{}")
    ]

    @Test(arguments: wrong.indices) func aWrongSettingIsNamed(index: Int) throws {
        let (key, json) = Self.wrong[index]
        let value = try JSONSerialization.jsonObject(with: Data("[\(json)]".utf8)) as! [Any]
        let error = #expect(throws: GemmaError.self) { try read(text: [key: value[0]]) }
        let named = key == "num_kv_shared_layers" ? "share" : key
        #expect("\(error!)".contains(named), "\(error!)")
        #expect("\(error!)".contains("config.json"))
    }

    @Test func allProblemsAreToldAtOnce() throws {
        let error = #expect(throws: GemmaError.self) {
            try read(text: ["hidden_size": -1, "head_dim": nil, "rms_norm_eps": "x"], top: ["image_token_id": -5])
        }
        guard case .badConfig(_, let problems)? = error else { throw error! }
        #expect(problems.count == 4, "\(problems)")
    }

    /// Without the number of layers nothing can be said of the lists that have one entry for each.
    @Test func aWrongNumberOfLayersIsOneProblem() throws {
        let error = #expect(throws: GemmaError.self) { try read(text: ["num_hidden_layers": 100_000]) }
        guard case .badConfig(_, let problems)? = error else { throw error! }
        #expect(problems.count == 1, "\(problems)")
        #expect(throws: GemmaError.self) { try read(text: ["num_hidden_layers": 14]) }
    }

    @Test(arguments: ["", "[]", "{", "{\"model_type\": \"llama\"}", "{}", "nothing", "{\"model_type\": \"gemma3n\"}"])
    func whatIsNoConfigurationIsRefused(text: String) {
        #expect(throws: GemmaError.self) { try read(bytes: Data(text.utf8)) }
    }

    @Test func nestingDoesNotOverflow() {
        let deep = String(repeating: "[", count: 200_000)
        #expect(throws: GemmaError.self) { try read(bytes: Data("{\"a\":\(deep)".utf8)) }
        let closed = "{\"a\":" + String(repeating: "[", count: 400) + String(repeating: "]", count: 400) + "}"
        #expect(throws: GemmaError.self) { try read(bytes: Data(closed.utf8)) }
    }

    @Test func slicesFollowTheRules() throws {
        let whole = try read().text
        let kept = Array(0..<3) + Array(8..<12)
        let small = try whole.sliced(GemmaSlice(layers: kept, feedForward: Array(repeating: 64, count: 7)))
        #expect(small.layers.map(\.stored) == kept)
        #expect(small.layers.map(\.keyValueLayer) == [0, 1, 2, 3, 4, 3, 3])
        #expect(small.layers.map(\.isSliding) == [true, true, true, true, false, true, true])
        #expect(small.storedLayers == 15 && small.lastKeyValueLayer == 4)
    }

    @Test(arguments: [
        GemmaSlice(layers: [], feedForward: []), GemmaSlice(layers: [0, 1], feedForward: [64]),
        GemmaSlice(layers: [1, 0], feedForward: [64, 64]), GemmaSlice(layers: [0, 0], feedForward: [64, 64]),
        GemmaSlice(layers: [0, 15], feedForward: [64, 64]), GemmaSlice(layers: [-1, 0], feedForward: [64, 64]),
        GemmaSlice(layers: [0], feedForward: [129]), GemmaSlice(layers: [0], feedForward: [0]),
        GemmaSlice(layers: [0, 9, 10], feedForward: [64, 64, 64])  // 10 reads 8
    ])
    func anImpossibleSliceIsRefused(slice: GemmaSlice) throws {
        let whole = try read().text
        #expect(throws: GemmaError.self) { try whole.sliced(slice) }
    }
}
