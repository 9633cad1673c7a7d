import Foundation
import Gemma
import Kernels
import Layers
import TestSupport
import Testing

/// A tiny decoder whose weights are hashes of their names, and what transformers made of it (`make_goldens.py`).
struct HashModel: Sendable, CustomTestStringConvertible {
    let name: String
    let config: GemmaTextConfig
    /// With the head's live rows only, and with all.
    let live, full: GemmaTextWeights
    var testDescription: String { name }

    static let fives = load("fives")
    static let fours = load("fours")
    static let all = [fives, fours]

    /// The slice that the goldens of `fives` have.
    static let slice = GemmaSlice(
        layers: [0, 1, 2, 3, 4, 8, 9, 10, 14], feedForward: [96, 128, 64, 96, 128, 96, 64, 96, 160])

    private static func load(_ name: String) -> HashModel {
        do {
            let config = try GemmaConfig(file: golden("\(name).json").path).text
            let source = HashSource(width: config.width)
            return HashModel(
                name: name, config: config, live: try GemmaTextWeights(config: config, source: source),
                full: try GemmaTextWeights(config: config, source: source, shortcuts: []))
        } catch { fatalError("\(name): \(error)") }
    }

    static func golden(_ file: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(file)")
    }

    func golden() throws -> GoldenTensors { try GoldenTensors(Self.golden("\(name).safetensors")) }

    func decoder(blockRows: Int = 64, threads: Int = 1, shortcuts: GemmaShortcuts = .all) -> GemmaDecoder {
        GemmaDecoder(
            weights: shortcuts.contains(.liveHeadRows) ? live : full, pool: ThreadPool(threads: threads),
            blockRows: blockRows, shortcuts: shortcuts)
    }

    /// Matrices that fit in 4 or 8 bits; those of rank 8 stay floats.
    func quantized(_ format: QuantizedFormat) throws -> GemmaTextWeights {
        try GemmaTextWeights(
            config: config, source: QuantizingTensors(HashSource(width: config.width), format: format))
    }

    /// `count` text ids that mean nothing.
    func ids(_ count: Int, seed: UInt64 = 1) -> [Int] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in Int.random(in: 5..<config.textVocabulary, using: &random) }
    }
}

/// The rules of `spread` in make_goldens.py.
struct HashSource: GemmaTensorSource {
    let width: Int

    func floats(_ name: String, shape: [Int]) -> [Float] {
        let (mean, amplitude) = spread(name, shape)
        return HashWeights.values(
            "model." + name, count: shape.reduce(1, *), mean: mean, amplitude: amplitude)
    }

    private func spread(_ name: String, _ shape: [Int]) -> (Double, Double) {
        if name.hasSuffix("q_norm.weight") || name.hasSuffix("k_norm.weight") { return (0.6, 0.2) }
        if shape.count == 1 { return (1, 0.3) }
        if name.hasSuffix("correction_coefs.weight") || name.hasSuffix("prediction_coefs.weight") { return (0, 0.2) }
        if name.hasSuffix("modality_router.weight") { return (0, 1.5 * Double(width).squareRoot()) }
        if name.hasSuffix("embed_tokens.weight") { return (0, 6 / Double(width).squareRoot()) }
        return (0, 1.75 / Double(shape[1]).squareRoot())
    }
}

func makeState(
    _ decoder: GemmaDecoder, storage: GroupedKVCache.Storage = .float32, positions: Int? = nil, slack: Int = 512
) -> GemmaState {
    var options = GemmaStateOptions()
    (options.storage, options.positions, options.slack) = (storage, positions, slack)
    return decoder.makeState(options)
}

/// Logits of all `ids`, fed in pieces of `chunk`: [ids][head rows].
func feed(
    _ ids: [Int], chunk: Int, decoder: GemmaDecoder, state: GemmaState? = nil
) throws -> [[Float]] {
    let state = state ?? makeState(decoder)
    var all: [[Float]] = []
    for start in stride(from: 0, to: ids.count, by: chunk) {
        let part = Array(ids[start..<min(start + chunk, ids.count)])
        let logits = try decoder.prefill(GemmaPrompt(part), state: state, logitRows: part.count)
        all += (0..<part.count).map { row in logits.columnsOfRow(row) }
    }
    return all
}

/// The logits behind the last of `ids`, the only ones made.
func lastLogits(_ ids: [Int], decoder: GemmaDecoder, state: GemmaState? = nil) throws -> [Float] {
    try decoder.prefill(GemmaPrompt(ids), state: state ?? makeState(decoder)).columnsOfRow(0)
}

/// Greedy tokens behind a prompt.
func greedy(_ ids: [Int], count: Int, decoder: GemmaDecoder, state: GemmaState, stop: [Int] = []) throws -> [Int] {
    var sampler = Sampler.greedy
    try decoder.prefill(GemmaPrompt(ids), state: state)
    var tokens: [Int] = []
    while tokens.count < count {
        let token = sampler.next(state.textLogits())
        tokens.append(token)
        if stop.contains(token) { break }
        _ = try decoder.step(token, state: state)
    }
    return tokens
}

extension Tensor where Element == Float {
    func columnsOfRow(_ row: Int) -> [Float] { Array(array[row * columns..<(row + 1) * columns]) }
}

/// The largest difference; infinite if a value is no number or the counts differ.
func worst(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { ($0 - $1).isNaN ? .infinity : abs($0 - $1) }.max() ?? 0 : .infinity
}
