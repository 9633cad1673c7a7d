import Foundation
import Gemma
import Kernels
import Testing
import Tokenizers
import Weights

/// GGUF files under llama.cpp's names that lie.
struct HostilePublishedTests {
    private let folder = try! TemporaryFolder()
    private static let model = SampleModel(feedForward: [64, 96, 64, 32, 64, 64])
    private static let whole = Result { try PublishedFile(model, tableRows: SampleModel.textVocabulary) }

    private func refuse(_ comment: String, _ change: (inout PublishedFile) -> Void) throws {
        var file = try Self.whole.get()
        change(&file)
        let path = folder.file("changed.gguf")
        try file.write(to: path)
        do {
            try runEverything(path)
            Issue.record("\(comment): it runs")
        } catch {
            #expect(error is GemmaError || error is WeightsError || error is TokenizerError, "\(comment): \(error)")
            #expect("\(error)".count > 20)
        }
    }

    @Test func aWholeFileRuns() throws {
        try Self.whole.get().write(to: folder.file("whole.gguf"))
        #expect(try runEverything(folder.file("whole.gguf")).count == SampleModel.textVocabulary)
    }

    private static let optional: Set = [
        "gemma3n.attention.value_length", "gemma3n.rope.freq_base_swa", "gemma3n.attention.sliding_window_pattern",
        "gemma3n.final_logit_softcapping", "gemma3n.altup.active_idx", "gemma3n.altup.num_inputs",
        "gemma3n.activation_sparsity_scale", "tokenizer.ggml.model", "tokenizer.ggml.bos_token_id",
        "tokenizer.ggml.eos_token_id"
    ]

    @Test func valuesThatAreMissingOrOfAnotherKindAreRefused() throws {
        for (key, _) in try Self.whole.get().values {
            if !Self.optional.contains(key) { try refuse("without \(key)") { $0.set(key, nil) } }
            if key.hasSuffix("value_length") || key.hasSuffix("ggml.model") || key.hasSuffix("bos_token_id") {
                continue
            }
            for value in [GGUFValue.text("x"), .int32(-1), .uint64(.max), .float32(.nan), .texts([]), .float32s([])] {
                try refuse("\(key) is \(value)") { $0.set(key, value) }
            }
        }
    }

    @Test(arguments: [0, 1, 5, 7, 255, 256, 257, 1 << 31] as [UInt32]) func layersThatAreNotThereAreRefused(
        count: UInt32
    ) throws {
        try refuse("\(count) layers") { $0.set("gemma3n.block_count", .uint32(count)) }
    }

    @Test func absurdDimensionsAreRefused() throws {
        let keys = [
            "embedding_length", "attention.head_count", "attention.head_count_kv", "attention.key_length",
            "feed_forward_length", "embedding_length_per_layer_input"
        ]
        for key in keys {
            for value in [0, 1, 3, 255, 16_384, 1 << 20, .max] as [UInt32] {
                try refuse("\(key) is \(value)") { $0.set("gemma3n.\(key)", .uint32(value)) }
            }
        }
        for scale in [Float.nan, .infinity, 40, 1e38] {
            let scales = [scale] + [Float](repeating: -.infinity, count: SampleModel.layers - 1)
            try refuse("deviations of \(scale)") { $0.set("gemma3n.activation_sparsity_scale", .float32s(scales)) }
        }
        for (key, numbers) in [("rope.freq_base", [Float.nan, 0, -1, .infinity]), ("final_logit_softcapping", [0, -1])]
        {
            for number in numbers { try refuse("\(key) is \(number)") { $0.set("gemma3n.\(key)", .float32(number)) } }
        }
    }

    @Test func listsOfOtherLengthsAreRefused() throws {
        let flags = [Bool](repeating: true, count: 5)
        try refuse("a short pattern") { $0.set("gemma3n.attention.sliding_window_pattern", .flags(flags)) }
        try refuse("short widths") { $0.set("gemma3n.feed_forward_length", .int32s([512, 768])) }
        try refuse("short scales") { $0.set("gemma3n.activation_sparsity_scale", .float32s([0])) }
        let lists = SampleTokenizer.lists
        try refuse("short types") { $0.set("tokenizer.ggml.token_type", .int32s([1, 2])) }
        try refuse("short scores") { $0.set("tokenizer.ggml.scores", .float32s([1, 2])) }
        try refuse("short tokens") { $0.set("tokenizer.ggml.tokens", .texts(Array(lists.tokens.prefix(100)))) }
        try refuse("one token twice") {
            $0.set("tokenizer.ggml.tokens", .texts([lists.tokens[1]] + lists.tokens.dropFirst()))
        }
        try refuse("merges of nothing") { $0.set("tokenizer.ggml.merges", .texts(["a b c", "x y"])) }
    }

    @Test func tensorsThatAreMissingOrTurnedAreRefused() throws {
        // Of the layers: a sparse one, and one that has keys and values it does not ask for.
        let some = try Self.whole.get().tensors.enumerated().filter { _, tensor in
            tensor.name.hasPrefix("blk.0.")
                || (tensor.name.hasPrefix("blk.5.") && !tensor.name.contains("attn_k")
                    && !tensor.name.contains("attn_v"))
                || (!tensor.name.hasPrefix("blk.") && tensor.name != "rope_freqs.weight")
        }
        for (index, tensor) in some {
            try refuse("without \(tensor.name)") { $0.tensors.remove(at: index) }
            if tensor.shape.reversed() != tensor.shape {
                try refuse("\(tensor.name) is turned") { $0.tensors[index].shape.reverse() }
            }
            try refuse("\(tensor.name) is flat") { $0.tensors[index].shape = [tensor.values.count, 1, 1] }
            try refuse("\(tensor.name) is one number") {
                $0.tensors[index].shape = []
                $0.tensors[index].values = [1]
            }
        }
    }

    @Test func whatIsNoNumberRuns() throws {
        var file = try Self.whole.get()
        for index in file.tensors.indices {
            file.tensors[index].values = file.tensors[index].values.enumerated().map { $0 % 7 == 0 ? .nan : $1 }
        }
        try file.write(to: folder.file("changed.gguf"))
        #expect(try runEverything(folder.file("changed.gguf")).count == SampleModel.textVocabulary)
    }
}
