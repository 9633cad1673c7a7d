import Foundation
import Kernels
import Layers
import Signal
import Weights

extension GemmaVerification {
    private static let wholeBound: Float = 1e-3
    private static let mostPromptTokens = 4_096

    /// Sound, picture and text in one prompt, and the tokens that follow.
    mutating func compareWhole(_ model: GemmaModel, with goldens: Checkpoint, pool: ThreadPool) throws {
        let names = Set(goldens.names)
        guard names.isSuperset(of: ["e2e.prompt_ids", "audio.waveform", "vision.image"]) else { return }
        let ids = try Self.integers(goldens, "e2e.prompt_ids")
        guard (1...Self.mostPromptTokens).contains(ids.count) else {
            throw GemmaError.badTensors(file: goldens.path, reason: "e2e.prompt_ids has \(ids.count) tokens")
        }
        let (audio, vision) = (try model.audioWeights(), try model.visionWeights())
        func hard(_ id: Int) throws -> [Float] {
            if audio.hardIDs.contains(id) { return audio.hardEmbedding(id: id) }
            guard vision.hardIDs.contains(id) else {
                throw GemmaError.badToken(id: id, vocabulary: model.config.text.textVocabulary)
            }
            return vision.hardEmbedding(id: id)
        }
        let sound = try soundTokens(of: goldens, audio, wanted: ids.count { $0 == model.config.audioToken }, pool: pool)
        let picture = try pictureTokens(of: goldens, vision, side: model.processorSide(), pool: pool)
        let places = [(model.config.audioToken, sound), (model.config.imageToken, picture)]
            .filter { ids.contains($0.0) }.sorted { ids.firstIndex(of: $0.0)! < ids.firstIndex(of: $1.0)! }
        for (id, tokens) in places where ids.count(where: { $0 == id }) != tokens.rows {
            throw GemmaError.badTensors(
                file: goldens.path, reason: "e2e.prompt_ids has another number of soft tokens than \(tokens.rows)")
        }
        let prompt = try GemmaPrompt(ids, config: model.config, softTokens: places.map(\.1), hardEmbedding: hard)

        // The goldens have the dead rows of the head too.
        let loaded: GemmaShortcuts = [.sharedLayers, .sparseRows]
        let weights = try model.textWeights(shortcuts: loaded)
        let decoder = GemmaDecoder(weights: weights, pool: pool, blockRows: ids.count, shortcuts: loaded)
        var options = GemmaStateOptions()
        options.storage = .float32
        let state = decoder.makeState(options)
        let logits = try decoder.prefill(prompt, state: state, logitRows: ids.count)
        try compare("e2e.prompt_logits", logits.array, with: goldens, bound: Self.wholeBound)
        guard names.contains("e2e.tokens") else { return }

        let wanted = try Self.integers(goldens, "e2e.tokens")
        var row = Array(logits.array[(ids.count - 1) * logits.columns..<ids.count * logits.columns])
        var (steps, tokens): ([Float], [Int]) = ([], [])
        for _ in wanted {
            steps += row
            tokens.append(greedy(row.span))
            let next = try GemmaPrompt(tokens.suffix(1), config: model.config, hardEmbedding: hard)
            row = Array(try decoder.prefill(next, state: state).array.prefix(logits.columns))
        }
        try compare("e2e.step_logits", steps, with: goldens, bound: Self.wholeBound)
        add(Result("e2e.tokens", Float(zip(tokens, wanted).count { $0 != $1 }), bound: 0))
    }

    /// The clip's tokens, filled up to `wanted` with the embedding of the last id, as the reference does.
    private func soundTokens(
        of goldens: Checkpoint, _ weights: GemmaAudioWeights, wanted: Int, pool: ThreadPool
    ) throws -> Tensor<Float> {
        let count = goldens.entry("audio.waveform")?.count ?? 0
        let wave = try goldens.floats("audio.waveform", shape: [count])
        let real = GemmaAudioEncoder(weights: weights, pool: pool).encode(wave.span)
        let all = Tensor<Float>(max(wanted, real.rows), real.columns, filledWith: 0)
        all.copy(real, from: 0, count: real.count, to: 0)
        let filler = weights.hardEmbedding(id: weights.hardIDs.upperBound - 1)
        for row in real.rows..<all.rows { all.copy(filler.span, to: row * all.columns) }
        return all
    }

    private func pictureTokens(
        of goldens: Checkpoint, _ weights: GemmaVisionWeights, side: Int, pool: ThreadPool
    ) throws -> Tensor<Float> {
        let shape = try goldens.shape(of: "vision.image")
        guard shape.count == 3, shape[2] == 3, goldens.entry("vision.image")?.type == .uint8 else {
            throw GemmaError.badTensors(file: goldens.path, reason: "vision.image is no picture of three bytes a pixel")
        }
        let bytes = try goldens.bytes("vision.image").withUnsafeBytes { [UInt8]($0) }
        let picture = Picture(width: shape[1], height: shape[0], channels: 3, pixels: bytes)
        return GemmaVisionEncoder(weights: weights, pool: pool).encode(picture, resolution: side)
    }
}
