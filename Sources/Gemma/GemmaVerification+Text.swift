import Foundation
import Kernels
import Tokenizers
import Weights

extension GemmaVerification {
    /// Of the nested model: without these layers, so wide.
    private static let sliceWithout = 5...9
    private static let sliceWidth = 128

    /// Everything that the text decoder does with `text.ids`.
    mutating func compareText(_ model: GemmaModel, with goldens: Checkpoint, pool: ThreadPool) throws {
        if let text = goldens.metadata["text"] { try compareTokens(text, model: model, goldens: goldens) }
        guard goldens.entry("text.ids") != nil else { return }
        let ids = try Self.integers(goldens, "text.ids")
        guard (1...4_096).contains(ids.count) else {
            throw GemmaError.badTensors(file: goldens.path, reason: "text.ids has \(ids.count) tokens")
        }
        // The goldens have the dead rows of the head too.
        let loaded: GemmaShortcuts = [.sharedLayers, .sparseRows]
        let weights = try model.textWeights(shortcuts: loaded)
        let decoder = GemmaDecoder(weights: weights, pool: pool, blockRows: ids.count, shortcuts: loaded)
        let trace = try decoder.trace(GemmaPrompt(ids))
        try compare("text.per_layer_inputs", trace.perLayer.array, with: goldens, bound: 1e-3)
        try compare("text.layers", trace.layers.flatMap(\.array), with: goldens, bound: 1e-3)
        try compare("text.final_hidden", trace.hidden.array, with: goldens, bound: 1e-3)
        try compare("text.logits", trace.logits.array, with: goldens, bound: 5e-4)
        guard goldens.entry("matformer.logits") != nil else { return }
        let kept = weights.config.layers.indices.filter { !Self.sliceWithout.contains($0) }
        let slice = GemmaSlice(layers: kept, feedForward: kept.map { _ in Self.sliceWidth })
        let nested = GemmaDecoder(
            weights: try model.textWeights(slice: slice, shortcuts: loaded), pool: pool, blockRows: ids.count,
            shortcuts: loaded)
        try compare("matformer.logits", nested.trace(GemmaPrompt(ids)).logits.array, with: goldens, bound: 5e-4)
    }

    /// Texts and what the reference made of them.
    private struct Texts: Decodable {
        let strings: [String]
        let ids: [[Int]]
    }

    private mutating func compareTokens(_ text: String, model: GemmaModel, goldens: Checkpoint) throws {
        guard let texts = try? JSONDecoder().decode(Texts.self, from: Data(text.utf8)),
            texts.strings.count == texts.ids.count
        else { throw GemmaError.badTensors(file: goldens.path, reason: "its metadata has no strings with ids") }
        let tokenizer = try model.tokenizer()
        let wrong = zip(texts.strings, texts.ids).filter { tokenizer.encode($0, specials: true) != $1 }
        add(Result("tokenizer.strings", Float(wrong.count), bound: 0))
    }
}
