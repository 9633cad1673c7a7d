import Foundation
import Gemma
import Kernels
import Layers
import TestSupport
import Testing

/// Checkpoints of `make_checkpoint.py` with their goldens: folders named in `GEMMA_CHECKPOINTS`, separated by colons.
struct TinyCheckpointTests {
    static let folders = (ProcessInfo.processInfo.environment["GEMMA_CHECKPOINTS"] ?? "").split(separator: ":").map(
        String.init)

    @Test(
        .enabled(if: !folders.isEmpty, "needs GEMMA_CHECKPOINTS: folders made by make_checkpoint.py"),
        arguments: folders)
    func equalsTheReference(folder: String) throws {
        let golden = try GoldenTensors(URL(fileURLWithPath: "\(folder)/golden.safetensors"))
        let ids = golden["text.ids"].integers
        let loaded: GemmaShortcuts = [.sharedLayers, .sparseRows]  // dead head rows too: the goldens have them
        let weights = try GemmaTextWeights(folder: folder, shortcuts: loaded)
        for chunk in [ids.count, 7, 1] {
            for shortcuts in [GemmaShortcuts.all, []] {
                let logits = try runInChunks(ids, of: chunk, weights: weights, shortcuts: shortcuts)
                let error = worst(logits, golden["text.logits"].floats)
                print(folder, "logits, chunks of \(chunk):", error)
                #expect(error < 5e-4)
            }
        }
        let slice = GemmaSlice(layers: Array(0..<5) + Array(10..<15), feedForward: Array(repeating: 128, count: 10))
        let nested = try GemmaTextWeights(folder: folder, slice: slice, shortcuts: loaded)
        let error = worst(
            try runInChunks(ids, of: 7, weights: nested, shortcuts: .all), golden["matformer.logits"].floats)
        print(folder, "matformer:", error)
        #expect(error < 5e-4)
    }
}

/// The trained sample: its text questions and their answers, by the ids that its README gives.
struct NanoTests {
    static let folder = RealData.shared("../nano/gemma-3n-nano")

    @Test(.enabled(if: folder != nil, "needs ../shared/nano")) func answersWhatComesNext() throws {
        let weights = try GemmaTextWeights(folder: try #require(Self.folder))
        let decoder = GemmaDecoder(weights: weights, pool: .single)
        // <start_of_turn>user\nDescribe this picture.: a prompt whose ids the README spells out
        let state = decoder.makeState()
        let prompt = GemmaPrompt([2, 5, 368, 7, 373, 331, 369, 332, 380, 389, 381, 386, 271, 401, 6, 7, 5, 361, 362, 7])
        var logits = try decoder.prefill(prompt, state: state)
        var sampler = Sampler.greedy
        var answer: [Int] = []
        while answer.count < 40 {
            let token = sampler.next(logits.row(0))
            if token == 6 || token == 1 { break }
            answer.append(token)
            logits = try decoder.step(token, state: state)
        }
        print("nano:", answer)
    }
}

/// Logits of all `ids`, fed in pieces.
func runInChunks(
    _ ids: [Int], of chunk: Int, weights: GemmaTextWeights, shortcuts: GemmaShortcuts, pool: ThreadPool = .single,
    storage: GroupedKVCache.Storage = .float32
) throws -> [Float] {
    let decoder = GemmaDecoder(weights: weights, pool: pool, blockRows: 64, shortcuts: shortcuts)
    var options = GemmaStateOptions()
    options.storage = storage
    let state = decoder.makeState(options)
    var all: [Float] = []
    for start in stride(from: 0, to: ids.count, by: chunk) {
        let part = Array(ids[start..<min(start + chunk, ids.count)])
        let logits = try decoder.prefill(GemmaPrompt(part), state: state, logitRows: part.count)
        all += logits.array.prefix(part.count * logits.columns)
    }
    return all
}

func worst(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { ($0 - $1).isNaN ? .infinity : abs($0 - $1) }.max() ?? 0 : .infinity
}
