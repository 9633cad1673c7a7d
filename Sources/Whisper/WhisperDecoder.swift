import Kernels
import Layers

/// The decoder of one stream with its caches: keys and values of the tokens so far, and of the encoder's output.
final class WhisperDecoder {
    /// Tokens in one call: a prompt with committed and tentative text.
    static let maxTokens = 448
    /// Rows of logits at a time: one that is chosen from, and a guess that is checked.
    static let maxLogitRows = 16

    // N tokens, d width, T encoder positions, H heads
    private let model: WhisperModel
    private let pool: ThreadPool
    private let stream: Tensor<Float>  // [N, d]
    private let normed: Tensor<Float>  // [N, d]
    private let fused: Tensor<Float>  // [N, 3d]
    private let query: Tensor<Float>  // [N, d]
    private let hidden: Tensor<Float>  // [N, f]
    private let encoded: Tensor<Float>  // [T, 2d]
    private let logitsTensor: Tensor<Float>  // [maxLogitRows, vocabulary]
    private let logitInput: Tensor<Float>  // [maxLogitRows, d]
    private let crossWeights: Tensor<Float>  // [N, H, T]
    private let caches: [KVCache]
    private let crosses: [CrossAttention]
    private let alignmentLayers: [Int: [Int]]
    private var encoderPositions = 0
    /// Cross-attention of each token in the cache, mean over the alignment heads: [tokens][T].
    private(set) var alignment: [[Float]] = []

    init(model: WhisperModel, pool: ThreadPool) {
        (self.model, self.pool) = (model, pool)
        let c = model.configuration
        let n = min(Self.maxTokens, c.textPositions)
        stream = Tensor(n, c.width, filledWith: 0)
        normed = Tensor(n, c.width, filledWith: 0)
        fused = Tensor(n, 3 * c.width, filledWith: 0)
        query = Tensor(n, c.width, filledWith: 0)
        hidden = Tensor(n, c.feedForward, filledWith: 0)
        encoded = Tensor(c.audioPositions, 2 * c.width, filledWith: 0)
        logitsTensor = Tensor(Self.maxLogitRows, c.vocabularySize, filledWith: 0)
        logitInput = Tensor(Self.maxLogitRows, c.width, filledWith: 0)
        crossWeights = Tensor(n, c.heads, c.audioPositions, filledWith: 0)
        caches = (0..<c.decoderLayers).map { _ in
            KVCache(capacity: c.textPositions, heads: c.heads, headDim: c.headDim)
        }
        crosses = (0..<c.decoderLayers).map { _ in
            CrossAttention(
                maxFrames: c.audioPositions, heads: c.heads, headDim: c.headDim,
                precision: model.precision)
        }
        alignmentLayers = Dictionary(grouping: c.alignmentHeads, by: \.layer).mapValues { $0.map(\.head) }
    }

    /// Tokens in the cache.
    var count: Int { caches[0].count }
    var capacity: Int { model.configuration.textPositions }

    /// Takes the encoder's output of a window [positions, d]; the cache of tokens is emptied.
    func attend(to output: Tensor<Float>, positions: Int) {
        truncate(to: 0)
        encoderPositions = positions
        for (layer, cross) in zip(model.decoderLayers, crosses) {
            layer.crossKeyValue(output, rows: positions, into: encoded, pool: pool)
            cross.store(keysValues: encoded, frames: positions, pool: pool)
        }
    }

    func truncate(to count: Int) {
        for cache in caches { cache.truncate(to: count) }
        alignment.removeLast(alignment.count - min(count, alignment.count))
    }

    /// Runs `tokens` behind those in the cache and returns the logits after the last of them, as row 0.
    func forward(_ tokens: [Int]) -> Tensor<Float> {
        run(tokens)
        return logits(afterRows: tokens.count - 1..<tokens.count)
    }

    /// Logits [rows, vocabulary] after `rows` of the last run, at most `maxLogitRows` of them. The tensor is overwritten
    /// by the next call.
    func logits(afterRows rows: Range<Int>) -> Tensor<Float> {
        let d = model.configuration.width
        logitInput.copy(normed, from: rows.lowerBound * d, count: rows.count * d, to: 0)
        model.vocabularyProduct(logitInput, rows: rows.count, into: logitsTensor, pool: pool)
        return logitsTensor
    }

    /// Runs `tokens` behind those in the cache.
    func run(_ tokens: [Int]) {
        let rows = tokens.count
        precondition(rows > 0 && count + rows <= capacity, "\(count) + \(rows) tokens")
        embed(tokens)
        var sums = Array(repeating: [Float](repeating: 0, count: encoderPositions), count: rows)
        for (index, layer) in model.decoderLayers.enumerated() {
            layer.attentionNorm(stream, rows: rows, into: normed, pool: pool)
            layer.queryKeyValue(normed, rows: rows, into: fused, pool: pool)
            caches[index].attend(qkv: fused, rows: rows, into: normed, pool: pool)
            layer.attentionOut(normed, rows: rows, into: stream, adding: true, pool: pool)

            layer.crossNorm(stream, rows: rows, into: normed, pool: pool)
            layer.crossQuery(normed, rows: rows, into: query, pool: pool)
            let heads = alignmentLayers[index]
            crosses[index].attend(
                query: query, rows: rows, into: normed, weights: heads == nil ? nil : crossWeights, pool: pool)
            if let heads { addAlignment(of: heads, to: &sums) }
            layer.crossOut(normed, rows: rows, into: stream, adding: true, pool: pool)

            layer.feedForwardNorm(stream, rows: rows, into: normed, pool: pool)
            layer.up(normed, rows: rows, into: hidden, activation: .gelu, pool: pool)
            layer.down(hidden, rows: rows, into: stream, adding: true, pool: pool)
        }
        model.decoderNorm(stream, rows: rows, into: normed, pool: pool)
        alignment += sums
    }

    private func embed(_ tokens: [Int]) {
        let first = count
        let (x, words, positions) = (stream, model.embedding, model.decoderPositions)
        for (row, token) in tokens.enumerated() {
            var values = x.mutableRow(row)
            let word = words.row(token)
            let place = positions.row(first + row)
            for column in place.indices { values[column] = Float(word[column]) + place[column] }
        }
    }

    private func addAlignment(of heads: [Int], to sums: inout [[Float]]) {
        let c = model.configuration
        let share = 1 / Float(c.alignmentHeads.count)
        let weights = crossWeights
        for row in sums.indices {
            for head in heads {
                let line = weights.row(row * c.heads + head)
                for position in 0..<encoderPositions { sums[row][position] += share * line[position] }
            }
        }
    }
}
