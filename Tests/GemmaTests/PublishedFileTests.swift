import Foundation
import Gemma
import Kernels
import Layers
import Testing
import Tokenizers
import Weights

/// Files as they are published for llama.cpp, written here under its names.
struct PublishedFile {
    var values: [(key: String, value: GGUFValue)]
    var tensors: [(name: String, shape: [Int], values: [Float])]

    /// - Parameter tableRows: Of the per-layer embeddings, which may go on behind the text.
    init(_ model: SampleModel = SampleModel(), tableRows: Int = SampleModel.vocabulary) throws {
        let lists = SampleTokenizer.lists
        let widths = model.feedForward.map { Int32($0) }
        let isUniform = Set(widths).count == 1
        // Deviations of a normal distribution that 90 and 50 % lie below.
        let scales: [Float] = [1.281_551_6, 0, -.infinity, -.infinity, -.infinity, -.infinity]
        values = [
            ("general.architecture", .text("gemma3n")), ("gemma3n.block_count", .uint32(UInt32(SampleModel.layers))),
            ("gemma3n.context_length", .uint32(UInt32(SampleModel.positions))),
            ("gemma3n.embedding_length", .uint32(UInt32(SampleModel.width))),
            ("gemma3n.feed_forward_length", isUniform ? .uint32(UInt32(widths[0])) : .int32s(widths)),
            ("gemma3n.attention.head_count", .uint32(4)), ("gemma3n.attention.head_count_kv", .uint32(2)),
            ("gemma3n.attention.key_length", .uint32(16)), ("gemma3n.attention.value_length", .uint32(16)),
            ("gemma3n.rope.freq_base", .float32(1e6)), ("gemma3n.rope.freq_base_swa", .float32(1e4)),
            ("gemma3n.attention.layer_norm_rms_epsilon", .float32(1e-6)),
            ("gemma3n.attention.sliding_window", .uint32(UInt32(SampleModel.window))),
            ("gemma3n.attention.sliding_window_pattern", .flags(SampleModel.sliding)),
            ("gemma3n.attention.shared_kv_layers", .uint32(UInt32(SampleModel.sharedLayers))),
            ("gemma3n.embedding_length_per_layer_input", .uint32(UInt32(SampleModel.perLayerWidth))),
            ("gemma3n.final_logit_softcapping", .float32(30)), ("gemma3n.altup.active_idx", .uint32(0)),
            ("gemma3n.altup.num_inputs", .uint32(4)), ("gemma3n.activation_sparsity_scale", .float32s(scales)),
            ("tokenizer.ggml.model", .text("llama")), ("tokenizer.ggml.tokens", .texts(lists.tokens)),
            ("tokenizer.ggml.token_type", .int32s(lists.types)), ("tokenizer.ggml.scores", .float32s(lists.scores)),
            ("tokenizer.ggml.bos_token_id", .uint32(2)), ("tokenizer.ggml.eos_token_id", .uint32(1))
        ]
        tensors = []
        var stacks: [String: [Float]] = [:]
        for (name, shape) in try model.tensors() {
            let numbers = SampleModel.values(name, shape)
            if let stack = Self.stacks.first(where: { name.hasPrefix($0.key) }) {
                stacks[stack.value, default: []] += numbers  // in the order of their names
            } else if name == "embed_tokens_per_layer.weight" {
                let columns = shape[1]
                let more = [Float](repeating: 9, count: (tableRows - shape[0]) * columns)
                tensors.append(("per_layer_token_embd.weight", [tableRows, columns], numbers + more))
            } else {
                tensors.append((Self.published(name), shape, numbers))
            }
        }
        for (name, numbers) in stacks {
            tensors.append((name, [3, SampleModel.width, SampleModel.width], numbers))
        }
        tensors.append(("rope_freqs.weight", [8], [Float](repeating: 1, count: 8)))
    }

    mutating func set(_ key: String, _ value: GGUFValue?) {
        values.removeAll { $0.key == key }
        if let value { values.append((key, value)) }
    }

    func write(to path: String) throws {
        let writer = try GGUFWriter(
            path: path, metadata: values,
            tensors: tensors.map { GGUFWriter.Plan(name: $0.name, shape: $0.shape, type: .float32) })
        for tensor in tensors { try writer.append(tensor.values.span.bytes, to: tensor.name) }
        try writer.finish()
    }

    private static let stacks = [
        "altup_projections.": "altup_proj.weight", "altup_unembed_projections.": "altup_unembd_proj.weight"
    ]
    private static let words = [
        "embed_tokens.": "token_embd.", "per_layer_model_projection.": "per_layer_model_proj.",
        "per_layer_projection_norm.": "per_layer_proj_norm.", "self_attn.q_proj.": "attn_q.",
        "self_attn.k_proj.": "attn_k.", "self_attn.v_proj.": "attn_v.", "self_attn.o_proj.": "attn_output.",
        "self_attn.q_norm.": "attn_q_norm.", "self_attn.k_norm.": "attn_k_norm.", "mlp.gate_proj.": "ffn_gate.",
        "mlp.up_proj.": "ffn_up.", "mlp.down_proj.": "ffn_down.", "input_layernorm.": "attn_norm.",
        "post_attention_layernorm.": "post_attention_norm.", "pre_feedforward_layernorm.": "ffn_norm.",
        "post_feedforward_layernorm.": "post_ffw_norm.", "post_per_layer_input_norm.": "post_norm.",
        "laurel.linear_left.": "laurel_l.", "laurel.linear_right.": "laurel_r.",
        "laurel.post_laurel_norm.": "laurel_post_norm.", "altup.modality_router.": "altup_router.",
        "altup.router_norm.": "altup_router_norm.", "altup.prediction_coefs.": "altup_predict_coef.",
        "altup.correction_coefs.": "altup_correct_coef.", "altup.correct_output_scale": "altup_correct_scale.weight",
        "per_layer_input_gate.": "inp_gate.", "per_layer_projection.": "proj."
    ]

    static func published(_ name: String) -> String {
        if name == "norm.weight" { return "output_norm.weight" }
        let parts = name.split(separator: ".", maxSplits: 2).map(String.init)
        let (front, local) = parts[0] == "layers" ? ("blk.\(parts[1]).", parts[2]) : ("", name)
        let word = words.keys.first { local.hasPrefix($0) }!
        return front + words[word]! + local.dropFirst(word.count)
    }
}

struct PublishedFileTests {
    private static let models = [
        SampleModel(), SampleModel(feedForward: [Int](repeating: 512, count: SampleModel.layers))
    ]

    @Test(arguments: models.indices, [SampleModel.textVocabulary, SampleModel.vocabulary])
    func aPublishedFileIsTheFolder(index: Int, tableRows: Int) throws {
        let model = Self.models[index]
        let source = try ModelFolder(model, ModelFolder.Form(precision: .float32))
        let folder = try GemmaModel(source.path)
        try PublishedFile(model, tableRows: tableRows).write(to: source.folder.file("published.gguf"))
        let file = try GemmaModel(source.folder.file("published.gguf"))
        #expect(file.form == .published && file.config == folder.config)
        #expect(try QuantizedFileTests.logits(file.textWeights()) == QuantizedFileTests.logits(folder.textWeights()))
        #expect(
            try QuantizedFileTests.logits(file.textWeights(format: .q4))
                == QuantizedFileTests.logits(folder.textWeights(format: .q4)))
        let (ours, theirs) = (try folder.tokenizer(), try file.tokenizer())
        for text in SampleTokenizer.texts {
            for specials in [true, false] {
                let ids = ours.encode(text, specials: specials)
                #expect(ids == theirs.encode(text, specials: specials), "\(text.debugDescription)")
                #expect(ours.decode(ids) == theirs.decode(ids))
            }
        }
    }

    @Test func aPublishedFileIsQuantizedAndSliced() throws {
        let source = try ModelFolder(SampleModel(), ModelFolder.Form(precision: .float32))
        let folder = try GemmaModel(source.path)
        try PublishedFile().write(to: source.folder.file("published.gguf"))
        let file = try GemmaModel(source.folder.file("published.gguf"))
        let slice = QuantizedFileTests.slices[1]
        for slice in [nil, slice] {
            let expected = try QuantizedFileTests.logits(folder.textWeights(format: .q4, slice: slice))
            let made = try QuantizedFileTests.quantize(file, .q4, in: source.folder, slice: slice, name: "own.gguf")
            #expect(try QuantizedFileTests.logits(made.textWeights()) == expected)
        }
    }

    /// As it is published, with the configuration of what it was made of beside it.
    @Test func aFolderThatHoldsAFileIsTheFile() throws {
        let folder = try TemporaryFolder()
        try PublishedFile().write(to: folder.file("a.gguf"))
        let alone = try GemmaModel(folder.path)
        try Data(SampleModel().config(.nested).utf8).write(to: folder.url("config.json"))
        let model = try GemmaModel(folder.path)
        #expect(model.form == .published && model.config == alone.config)
        #expect(try model.tokenizer().count == SampleModel.vocabulary)
    }

    @Test func aFileOfAnotherModelIsRefused() throws {
        let folder = try TemporaryFolder()
        var file = try PublishedFile()
        for architecture in [GGUFValue.text("gemma3"), .uint32(1), nil] {
            file.set("general.architecture", architecture)
            try file.write(to: folder.file("a.gguf"))
            #expect(throws: GemmaError.self) { try GemmaModel(folder.file("a.gguf")) }
        }
    }
}
