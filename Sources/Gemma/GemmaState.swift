package import Kernels
package import Layers

/// One conversation: keys and values of the tokens so far, and the block of tokens that is on its way through the layers.
///
/// A trial continuation is a run followed by `truncate`: that costs nothing. Owned by one caller and used by one run at a time.
package final class GemmaState {
    /// Tokens held.
    package internal(set) var count = 0
    /// Most tokens.
    package let limit: Int
    /// [≥ rows, head rows]: logits after the last tokens of the last run, soft-capped.
    package internal(set) var logits: Tensor<Float>
    private let textVocabulary: Int
    /// How many rows of `logits` the last run made.
    package internal(set) var logitRows = 0

    /// By layer; nil where a layer attends to another one's.
    let caches: [GroupedKVCache?]

    // B rows of a block, D width, P per-layer width
    let streams: Tensor<Float>  // [4, B, D]
    let perLayer: Tensor<Float>  // [B, layers · P]
    let fullRotation: RotaryEmbedding
    let slidingRotation: RotaryEmbedding

    init(config c: GemmaTextConfig, blockRows: Int, headRows: Int, options: GemmaStateOptions) {
        limit = min(options.positions ?? c.positions, c.positions)
        let (limit, slack) = (limit, max(options.slack, blockRows))
        caches = c.layers.enumerated().map { index, layer in
            guard c.ownsKeyValues(index) else { return nil }
            return GroupedKVCache(
                keyHeads: c.keyHeads, headDim: c.headDim, window: layer.isSliding ? c.window : nil, slack: slack,
                limit: limit, storage: options.storage)
        }
        logits = Tensor(1, headRows, filledWith: 0)
        textVocabulary = c.textVocabulary
        streams = Tensor(GemmaTextConfig.streams, blockRows, c.width, filledWith: 0)
        perLayer = Tensor(blockRows, c.layers.count * c.perLayerWidth, filledWith: 0)
        fullRotation = RotaryEmbedding(headDim: c.headDim, base: Float(c.fullTheta), rows: blockRows)
        slidingRotation = RotaryEmbedding(headDim: c.headDim, base: Float(c.slidingTheta), rows: blockRows)
    }

    /// The logits of one row that a token is chosen from: those of text.
    @_lifetime(borrow self)
    package func textLogits(_ row: Int = 0) -> Span<Float> {
        precondition((0..<logitRows).contains(row), "row \(row) of \(logitRows)")
        return _overrideLifetime(logits.row(row).extracting(0..<textVocabulary), borrowing: self)
    }

    /// The lowest count above 0 to which `truncate` can go: the sliding layers overwrite what left their window.
    package var lowestCount: Int { caches.reduce(0) { max($0, $1?.lowestCount ?? 0) } }

    /// Forgets all tokens from `count` on; `count` is 0 or at least `lowestCount`.
    package func truncate(to count: Int) {
        precondition((0...self.count).contains(count), "\(count) of \(self.count) tokens")
        // A run that was given up may have left more in the first caches.
        for cache in caches { cache?.truncate(to: count) }
        self.count = count
    }
}

package struct GemmaStateOptions: Sendable {
    package var storage: GroupedKVCache.Storage = .float16
    /// Most tokens; nil: as many as the model knows positions.
    package var positions: Int?
    /// Tokens that can be taken back at least.
    package var slack = 512

    package init() {}
}
