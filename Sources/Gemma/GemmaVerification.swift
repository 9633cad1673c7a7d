import Foundation
package import Kernels
import Tokenizers
package import Weights

/// A checkpoint compared with a goldens file of `make_checkpoint.py`.
package struct GemmaVerification: Encodable, Sendable {
    package struct Result: Encodable, Sendable {
        package let name: String
        /// Nil when something compared is no number. Of texts: how many differ.
        package let maxAbsError: Float?
        package let bound: Float
        package let ok: Bool

        enum CodingKeys: String, CodingKey {
            case name, bound, ok
            case maxAbsError = "max_abs_error"
        }

        init(_ name: String, _ error: Float?, bound: Float) {
            (self.name, self.bound, maxAbsError) = (name, bound, error)
            ok = error.map { $0 <= bound } ?? false
        }
    }

    package private(set) var results: [Result] = []
    /// Goldens that nothing here can run yet.
    package private(set) var unchecked: [String] = []

    package var isGood: Bool { results.allSatisfy(\.ok) }

    /// Given, not compared.
    private static let inputs: Set<String> = [
        "text.ids", "audio.waveform", "audio_batch.lengths", "vision.image", "vision.image_wide", "e2e.prompt_ids"
    ]
    /// Of the nested model: without these layers, so wide.
    private static let sliceWithout = 5...9
    private static let sliceWidth = 128

    /// - Parameters:
    ///   - folder: A checkpoint in Hugging Face form.
    ///   - goldens: Of the same checkpoint.
    /// - Throws: `GemmaError`, `WeightsError`, `TokenizerError`.
    package init(folder: String, goldens: Checkpoint, pool: ThreadPool) throws {
        let names = Set(goldens.names)
        if names.contains("text.ids") {
            let ids = try Self.integers(goldens, "text.ids")
            guard (1...4_096).contains(ids.count) else {
                throw GemmaError.badTensors(file: goldens.path, reason: "text.ids has \(ids.count) tokens")
            }
            // The goldens have the dead rows of the head too.
            let loaded: GemmaShortcuts = [.sharedLayers, .sparseRows]
            let weights = try GemmaModel(folder).textWeights(shortcuts: loaded)
            let decoder = GemmaDecoder(weights: weights, pool: pool, blockRows: ids.count, shortcuts: loaded)
            let trace = try decoder.trace(GemmaPrompt(ids))
            let seen: [(String, [Float], Float)] = [
                ("text.per_layer_inputs", trace.perLayer.array, 1e-3),
                ("text.layers", trace.layers.flatMap(\.array), 1e-3), ("text.final_hidden", trace.hidden.array, 1e-3),
                ("text.logits", trace.logits.array, 5e-4)
            ]
            for (name, values, bound) in seen where names.contains(name) {
                try compare(name, values, with: goldens, bound: bound)
            }
            if names.contains("matformer.logits") {
                let kept = weights.config.layers.indices.filter { !Self.sliceWithout.contains($0) }
                let slice = GemmaSlice(
                    layers: kept, feedForward: kept.map { _ in Self.sliceWidth })
                let nested = GemmaDecoder(
                    weights: try GemmaModel(folder).textWeights(slice: slice, shortcuts: loaded), pool: pool,
                    blockRows: ids.count, shortcuts: loaded)
                try compare("matformer.logits", nested.trace(GemmaPrompt(ids)).logits.array, with: goldens, bound: 5e-4)
            }
        }
        if let text = goldens.metadata["text"] { try compareTokens(text, folder: folder, goldens: goldens) }
        let done = Set(results.map(\.name))
        unchecked = goldens.names.filter { !done.contains($0) && !Self.inputs.contains($0) }
        guard !results.isEmpty else {
            throw GemmaError.badTensors(file: goldens.path, reason: "it holds no goldens of a text decoder")
        }
    }

    private mutating func compare(
        _ name: String, _ values: [Float], with goldens: Checkpoint, bound: Float
    ) throws {
        let wanted = try goldens.floats(name, shape: goldens.shape(of: name))
        guard wanted.count == values.count else {
            throw GemmaError.badTensors(
                file: goldens.path, reason: "\(name) has \(wanted.count) values, and \(values.count) here")
        }
        var worst: Float? = 0
        for (value, golden) in zip(values, wanted) {
            let error = abs(value - golden)
            worst = error.isFinite ? worst.map { max($0, error) } : nil
        }
        results.append(Result(name, worst, bound: bound))
    }

    /// Texts and what the reference made of them.
    private struct Texts: Decodable {
        let strings: [String]
        let ids: [[Int]]
    }

    private mutating func compareTokens(_ text: String, folder: String, goldens: Checkpoint) throws {
        guard let texts = try? JSONDecoder().decode(Texts.self, from: Data(text.utf8)),
            texts.strings.count == texts.ids.count
        else { throw GemmaError.badTensors(file: goldens.path, reason: "its metadata has no strings with ids") }
        let tokenizer = try GemmaTokenizer(folder: folder)
        let wrong = zip(texts.strings, texts.ids).filter { tokenizer.encode($0, specials: true) != $1 }
        results.append(Result("tokenizer.strings", Float(wrong.count), bound: 0))
    }

    private static func integers(_ goldens: Checkpoint, _ name: String) throws -> [Int] {
        guard let entry = goldens.entry(name), entry.type == .int64 else {
            throw GemmaError.badTensors(file: goldens.path, reason: "\(name) is not of 64-bit integers")
        }
        return try goldens.bytes(name).withUnsafeBytes { bytes in
            (0..<entry.count).map {
                Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)))
            }
        }
    }
}
