import Foundation
import Kernels
import Layers
import Weights

/// A GGUF file as published for llama.cpp: the text model under that project's names.
///
/// Facts of `gemma3n` in its format: AltUp's six square matrices are stacked in two tensors; the tables may have rows
/// for ids that no text has.
struct PublishedTensors: GemmaStoredTensors {
    private let checkpoint: Checkpoint
    let names: [String]

    /// What they call the tensors of a layer.
    private static let layerNames = [
        "self_attn.q_proj.weight": "attn_q.weight", "self_attn.k_proj.weight": "attn_k.weight",
        "self_attn.v_proj.weight": "attn_v.weight", "self_attn.o_proj.weight": "attn_output.weight",
        "self_attn.q_norm.weight": "attn_q_norm.weight", "self_attn.k_norm.weight": "attn_k_norm.weight",
        "mlp.gate_proj.weight": "ffn_gate.weight", "mlp.up_proj.weight": "ffn_up.weight",
        "mlp.down_proj.weight": "ffn_down.weight", "input_layernorm.weight": "attn_norm.weight",
        "post_attention_layernorm.weight": "post_attention_norm.weight",
        "pre_feedforward_layernorm.weight": "ffn_norm.weight",
        "post_feedforward_layernorm.weight": "post_ffw_norm.weight",
        "post_per_layer_input_norm.weight": "post_norm.weight", "laurel.linear_left.weight": "laurel_l.weight",
        "laurel.linear_right.weight": "laurel_r.weight", "laurel.post_laurel_norm.weight": "laurel_post_norm.weight",
        "altup.modality_router.weight": "altup_router.weight", "altup.router_norm.weight": "altup_router_norm.weight",
        "altup.prediction_coefs.weight": "altup_predict_coef.weight",
        "altup.correction_coefs.weight": "altup_correct_coef.weight",
        "altup.correct_output_scale": "altup_correct_scale.weight", "per_layer_input_gate.weight": "inp_gate.weight",
        "per_layer_projection.weight": "proj.weight"
    ]
    private static let wholeNames = [
        "embed_tokens.weight": "token_embd.weight", "embed_tokens_per_layer.weight": "per_layer_token_embd.weight",
        "per_layer_model_projection.weight": "per_layer_model_proj.weight",
        "per_layer_projection_norm.weight": "per_layer_proj_norm.weight", "norm.weight": "output_norm.weight"
    ]
    private static let stacks = [
        "altup_projections.": "altup_proj.weight", "altup_unembed_projections.": "altup_unembd_proj.weight"
    ]

    /// Where a tensor lies: under that name, or as one matrix of a stack.
    private struct Place {
        let name: String
        var matrix: Int?
    }

    init(_ checkpoint: Checkpoint, layers: Int) {
        self.checkpoint = checkpoint
        let stacked = Self.stacks.keys.flatMap { stack in (0..<3).map { "\(stack)\($0).weight" } }
        let inLayers = (0..<layers).flatMap { layer in Self.layerNames.keys.map { "layers.\(layer).\($0)" } }
        names = (Self.wholeNames.keys + stacked + inLayers).filter {
            checkpoint.entry(Self.place(of: $0).name) != nil
        }.sorted()
    }

    private static func place(of name: String) -> Place {
        if let whole = wholeNames[name] { return Place(name: whole) }
        let parts = name.split(separator: ".", maxSplits: 2)
        if parts.count == 3, parts[0] == "layers", let theirs = layerNames[String(parts[2])] {
            return Place(name: "blk.\(parts[1]).\(theirs)")
        }
        if parts.count == 3, let stack = stacks["\(parts[0])."] { return Place(name: stack, matrix: Int(parts[1])) }
        return Place(name: name)
    }

    func shape(of name: String) throws -> [Int] {
        let place = Self.place(of: name)
        let shape = try checkpoint.shape(of: place.name)
        return place.matrix == nil ? shape : Array(shape.dropFirst())
    }

    func floats(_ name: String, shape: [Int]) throws -> [Float] {
        if shape.count == 2 { return try rows(0..<shape[0], of: name, shape: shape) }
        return try checkpoint.floats(Self.place(of: name).name, shape: shape)
    }

    func rows(_ rows: Range<Int>, of name: String, shape: [Int]) throws -> [Float] {
        let place = Self.place(of: name)
        if let matrix = place.matrix {
            let values = try checkpoint.floats(place.name, shape: [3] + shape, rows: matrix..<matrix + 1)
            return Array(values[rows.lowerBound * shape[1]..<rows.upperBound * shape[1]])
        }
        let stored = try storedRows(of: name, shape: shape)
        return try checkpoint.floats(place.name, shape: [stored] + shape.dropFirst(), rows: rows)
    }

    func table(_ part: MatrixPart) throws -> RowTable {
        let stored = try storedRows(of: part.name, shape: [part.rows, part.columns])
        let place = Self.place(of: part.name)
        if place.matrix == nil, let rows = try checkpoint.rowTable(part, storedAs: place.name, rows: stored) {
            return rows
        }
        return RowTable(try values(of: part), count: part.keptRowCount, columns: part.keptColumns)
    }

    /// A table may go on behind what is asked of it.
    private func storedRows(of name: String, shape: [Int]) throws -> Int {
        let stored = try checkpoint.shape(of: Self.place(of: name).name)
        let isLonger = name.hasPrefix("embed_tokens") && stored.count == 2 && stored[0] > shape[0]
        return isLonger ? stored[0] : shape[0]
    }

    func isWide(_ name: String) -> Bool { checkpoint.entry(Self.place(of: name).name)?.type != .bfloat16 }

    func isDone(with name: String) { checkpoint.discardPages(of: Self.place(of: name).name) }
}

extension PublishedTensors {
    /// What the header says, as the `config.json` it was made of.
    /// - Throws: `WeightsError`, `GemmaError.badConfig`.
    static func config(_ checkpoint: Checkpoint, header: GGUFHeader) throws -> [String: ConfigValue] {
        func number(_ key: String) throws -> ConfigValue { .number(Double(try header.integer("gemma3n.\(key)"))) }
        func decimal(_ key: String) throws -> ConfigValue {
            // Stored as float32: six digits are what was meant.
            .number(Double("\(try header.float("gemma3n.\(key)"))") ?? 0)
        }
        func either(_ key: String) throws -> ConfigValue {
            if let list = try? header.integers("gemma3n.\(key)") { return .list(list.map { .number(Double($0)) }) }
            return try number(key)
        }
        let layers = try header.integer("gemma3n.block_count")
        guard (1...GemmaTextConfig.maxLayers).contains(layers) else {
            throw GemmaError.badConfig(file: checkpoint.path, problems: ["gemma3n.block_count is \(layers)"])
        }
        let embedding = try checkpoint.shape(of: "token_embd.weight")
        let table = try checkpoint.shape(of: "per_layer_token_embd.weight")
        let laurel = try checkpoint.shape(of: "blk.0.laurel_l.weight")
        guard embedding.count == 2, table.count == 2, laurel.count == 2 else {
            throw GemmaError.badConfig(file: checkpoint.path, problems: ["its embeddings are no matrices"])
        }
        let tokens = try header.texts("tokenizer.ggml.tokens")
        var text: [String: ConfigValue] = [
            "vocab_size": .number(Double(embedding[0])), "laurel_rank": .number(Double(laurel[0])),
            "vocab_size_per_layer_input": .number(Double(textVocabulary(tokens, rows: min(embedding[0], table[0])))),
            "hidden_size": try number("embedding_length"), "num_hidden_layers": .number(Double(layers)),
            "intermediate_size": try either("feed_forward_length"),
            "num_attention_heads": try number("attention.head_count"),
            "num_key_value_heads": try number("attention.head_count_kv"),
            "head_dim": try number("attention.key_length"), "sliding_window": try number("attention.sliding_window"),
            "num_kv_shared_layers": try number("attention.shared_kv_layers"),
            "hidden_size_per_layer_input": try number("embedding_length_per_layer_input"),
            "max_position_embeddings": try number("context_length"),
            "rms_norm_eps": try decimal("attention.layer_norm_rms_epsilon"),
            "rope_theta": try decimal("rope.freq_base")
        ]
        if header.contains("gemma3n.rope.freq_base_swa") {
            text["rope_local_base_freq"] = try decimal("rope.freq_base_swa")
        }
        if header.contains("gemma3n.final_logit_softcapping") {
            text["final_logit_softcapping"] = try decimal("final_logit_softcapping")
        }
        if header.contains("gemma3n.altup.num_inputs") { text["altup_num_inputs"] = try number("altup.num_inputs") }
        if header.contains("gemma3n.altup.active_idx") { text["altup_active_idx"] = try number("altup.active_idx") }
        if header.contains("gemma3n.attention.sliding_window_pattern") {
            text["layer_types"] = .list(
                try header.flags("gemma3n.attention.sliding_window_pattern").map {
                    .text($0 ? "sliding_attention" : "full_attention")
                })
        }
        if header.contains("gemma3n.activation_sparsity_scale") {
            text["activation_sparsity_pattern"] = .list(
                try header.floats("gemma3n.activation_sparsity_scale").map { .number(share(below: Double($0))) })
        }
        var values: [String: ConfigValue] = ["model_type": .text("gemma3n"), "text_config": .object(text)]
        if header.contains("tokenizer.ggml.eos_token_id") {
            values["eos_token_id"] = .number(Double(try header.integer("tokenizer.ggml.eos_token_id")))
        }
        for (id, token) in tokens.enumerated() {
            if let key = tagKeys[token] { values[key] = .number(Double(id)) }
        }
        return values
    }

    /// Tags of sounds and pictures, and what config.json calls their ids.
    private static let tagKeys = [
        "<start_of_image>": "boi_token_id", "<end_of_image>": "eoi_token_id", "<image_soft_token>": "image_token_id",
        "<start_of_audio>": "boa_token_id", "<end_of_audio>": "eoa_token_id", "<audio_soft_token>": "audio_token_id"
    ]

    /// The share of a normal distribution below so many deviations, to six digits: the file has rounded numbers.
    private static func share(below deviations: Double) -> Double {
        (0.5 * erfc(-deviations / 2.0.squareRoot()) * 1e6).rounded() / 1e6
    }

    /// Ids of text come first; behind them are media tags and fillers.
    private static func textVocabulary(_ tokens: [String], rows: Int) -> Int {
        let behind: Set = ["<end_of_image>", "<image_soft_token>", "<end_of_audio>", "<audio_soft_token>"]
        let end = tokens.indices.first { behind.contains(tokens[$0]) || tokens[$0].hasPrefix("[PAD") }
        return min(end ?? tokens.count, rows)
    }
}
