import Foundation
import Gemma
import Kernels
import Layers
import TestSupport
import Testing

/// Checkpoints of `make_checkpoint.py` with their goldens.
struct TinyCheckpointTests {
    static let folders = (ProcessInfo.processInfo.environment["GEMMA_CHECKPOINTS"] ?? "").split(separator: ":").map(
        String.init)

    @Test(
        .enabled(if: !folders.isEmpty, "needs GEMMA_CHECKPOINTS: folders of make_checkpoint.py, separated by colons"),
        arguments: folders)
    func equalsTheReference(folder: String) throws {
        let golden = try GoldenTensors(URL(fileURLWithPath: "\(folder)/golden.safetensors"))
        let ids = golden["text.ids"].integers
        let loaded: GemmaShortcuts = [.sharedLayers, .sparseRows]  // the goldens have the dead rows of the head too
        let weights = try GemmaModel(folder).textWeights(shortcuts: loaded)
        let decoder = GemmaDecoder(weights: weights, pool: .single, blockRows: 64)
        let trace = try decoder.trace(GemmaPrompt(ids))
        #expect(worst(trace.perLayer.array, golden["text.per_layer_inputs"].floats) < 1e-3)
        #expect(worst(trace.layers.flatMap(\.array), golden["text.layers"].floats) < 1e-3)
        #expect(worst(trace.hidden.array, golden["text.final_hidden"].floats) < 1e-3)
        for chunk in [ids.count, 7, 1] {
            let logits = try feed(ids, chunk: chunk, decoder: decoder)
            #expect(worst(Array(logits.joined()), golden["text.logits"].floats) < 5e-4)
        }
        let slice = GemmaSlice(layers: Array(0..<5) + Array(10..<15), feedForward: Array(repeating: 128, count: 10))
        let nested = GemmaDecoder(
            weights: try GemmaModel(folder).textWeights(slice: slice, shortcuts: loaded), pool: .single)
        #expect(
            worst(Array(try feed(ids, chunk: 7, decoder: nested).joined()), golden["matformer.logits"].floats) < 5e-4)
    }
}

/// The trained sample answers its text questions.
struct NanoTests {
    static let folder = RealData.shared("../nano/gemma-3n-nano")

    // <bos><start_of_turn>user\nWhat comes after ...?<end_of_turn>\n<start_of_turn>model\n
    private static let after = ([2, 5, 368, 7, 354, 370, 269, 391, 293, 379], [403, 6, 7, 5, 361, 362, 7])
    private static let before = ([2, 5, 368, 7, 354, 370, 270, 375, 360, 271], after.1)
    /// Zero to nine in a question.
    private static let asked = [323, 317, 319, 326, 321, 320, 318, 325, 324, 322]
    /// Zero to nine as an answer.
    private static let answered = [
        [312], [278, 375], [381, 305], [381, 383, 285], [360, 284], [391, 309], [382, 304], [336, 310], [313], [311]
    ]

    @Test(.enabled(if: folder != nil, "needs ../shared/nano"), arguments: [nil, .q8, .q4] as [QuantizedFormat?])
    func knowsWhatComesNext(format: QuantizedFormat?) throws {
        let folder = try #require(Self.folder)
        let end = 6
        #expect(try GemmaConfig(folder: folder).endTokens.contains(end))
        let decoder = GemmaDecoder(weights: try GemmaModel(folder).textWeights(format: format), pool: .single)
        let state = makeState(decoder, storage: format == nil ? .float32 : .float16)
        for digit in 0..<9 {
            for ((head, tail), question, answer) in [(Self.after, digit, digit + 1), (Self.before, digit + 1, digit)] {
                state.truncate(to: 0)
                let prompt = head + [Self.asked[question]] + tail
                let tokens = try greedy(prompt, count: 8, decoder: decoder, state: state, stop: [end])
                #expect(tokens == Self.answered[answer] + [end])
            }
        }
    }
}
