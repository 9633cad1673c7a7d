package import Kernels
import Layers

/// Gemma 3n's text decoder.
///
/// ```
/// prompt ─► embeddings ─► 4 streams ─► layer 0 ... layer n ─► 1 stream ─► norm ─► head ─► logits
///     └───► per-layer embeddings ──────────┘ (one slice each)
/// ```
/// Weights are shared, a `GemmaState` is one conversation, and the decoder has the scratch memory of one layer of one block: it serves
/// any number of conversations by turns, and a run that is under way can wait between two steps while another one
/// works. Results do not depend on how tokens are cut into calls and blocks, nor on the number of threads, bit for bit.
package final class GemmaDecoder {
    package let weights: GemmaTextWeights
    /// Tokens that go through a layer together.
    package let blockRows: Int
    package var shortcuts: GemmaShortcuts
    let pool: ThreadPool
    let scratch: GemmaScratch
    var config: GemmaTextConfig { weights.config }

    package init(
        weights: GemmaTextWeights, pool: ThreadPool, blockRows: Int = 128, shortcuts: GemmaShortcuts = .all
    ) {
        precondition(blockRows > 0, "\(blockRows) rows")
        (self.weights, self.pool, self.blockRows, self.shortcuts) = (weights, pool, blockRows, shortcuts)
        scratch = GemmaScratch(weights: weights, rows: blockRows)
    }

    package func makeState(_ options: GemmaStateOptions = GemmaStateOptions()) -> GemmaState {
        GemmaState(config: config, blockRows: blockRows, headRows: weights.embedding.outputs, options: options)
    }

    /// Scaled embeddings of text tokens, as they enter the decoder.
    /// - Parameter ids: Text ids.
    /// - Returns: [ids.count, width].
    package func embed(_ ids: [Int]) -> Tensor<Float> {
        let rows = Tensor<Float>(ids.count, config.width, filledWith: 0)
        for (row, id) in ids.enumerated() {
            var target = rows.mutableRow(row)
            embed(id, into: &target)
        }
        return rows
    }

    func embed(_ id: Int, into row: inout MutableSpan<Float>) {
        weights.embedding.copyWeights(ofOutput: id, into: &row)
        let scale = Float(config.width).squareRoot()
        for column in row.indices { row[column] *= scale }
    }

    /// Starts to run `prompt` behind the tokens of `state`; `advance` the run until it is finished.
    ///
    /// - Parameter logitRows: How many of the last tokens want logits, at most `blockRows`. With 0 only keys and values are made.
    /// - Throws: `GemmaError.badToken`, `.tooLong`.
    package func begin(
        _ prompt: GemmaPrompt, state: GemmaState, logitRows: Int = 1, logits: GemmaLogits = .all
    ) throws(GemmaError) -> GemmaRun {
        try prompt.check(config)
        guard state.count + prompt.count <= state.limit else {
            throw .tooLong(tokens: prompt.count, held: state.count, limit: state.limit)
        }
        return GemmaRun(decoder: self, prompt: prompt, state: state, logitRows: logitRows, logits: logits)
    }

    /// Runs `prompt` to its end.
    /// - Returns: `state.logits`.
    /// - Throws: As `begin`.
    @discardableResult
    package func prefill(
        _ prompt: GemmaPrompt, state: GemmaState, logitRows: Int = 1, logits: GemmaLogits = .all
    ) throws(GemmaError) -> Tensor<Float> {
        let run = try begin(prompt, state: state, logitRows: logitRows, logits: logits)
        while !run.advance() {}
        return state.logits
    }

    /// Runs one token.
    /// - Returns: `state.logits`, whose row 0 it fills.
    package func step(
        _ id: Int, state: GemmaState, logits: GemmaLogits = .all
    ) throws(GemmaError) -> Tensor<Float> {
        try prefill(GemmaPrompt([id]), state: state, logits: logits)
    }
}

/// Memory of one layer at work.
final class GemmaScratch {
    // B rows, D width, H query heads and G key heads of d, P per-layer width, F feed-forward width
    let normed: Tensor<Float>  // [B, D]
    let branch: Tensor<Float>  // [B, D]
    let joined: Tensor<Float>  // [B, D]
    let query: Tensor<Float>  // [B, H·d]
    let attended: Tensor<Float>  // [B, H·d]
    let key: Tensor<Float>  // [B, G·d]
    let value: Tensor<Float>  // [B, G·d]
    let laurel: Tensor<Float>  // [B, rank]
    let perLayer: Tensor<Float>  // [B, P]
    /// By F.
    let feedForward: [Int: FeedForwardBuffers]

    init(weights: GemmaTextWeights, rows: Int) {
        let c = weights.config
        func make(_ columns: Int) -> Tensor<Float> { Tensor(rows, columns, filledWith: 0) }
        (normed, branch, joined) = (make(c.width), make(c.width), make(c.width))
        (query, attended) = (make(c.heads * c.headDim), make(c.heads * c.headDim))
        (key, value) = (make(c.keyHeads * c.headDim), make(c.keyHeads * c.headDim))
        (laurel, perLayer) = (make(c.laurelRank), make(c.perLayerWidth))
        let widths = Set(weights.layers.map(\.feedForward.width))
        feedForward = Dictionary(uniqueKeysWithValues: widths.map { ($0, FeedForwardBuffers(rows: rows, width: $0)) })
    }
}
