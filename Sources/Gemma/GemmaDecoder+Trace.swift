package import Kernels
import Layers

/// Everything a comparison with the reference looks at, of one prompt.
package struct GemmaTrace {
    // T tokens, D width, P per-layer width
    package let perLayer: Tensor<Float>  // [T, layers · P]
    /// Streams behind each layer.
    package let layers: [Tensor<Float>]  // [4, T, D]
    package let hidden: Tensor<Float>  // [T, D]
    package let logits: Tensor<Float>  // [T, head rows]
}

extension GemmaDecoder {
    /// Runs a prompt of at most `blockRows` tokens through all layers with float caches and keeps what is on the way.
    /// - Throws: `GemmaError.badToken`, `.tooLong`.
    package func trace(_ prompt: GemmaPrompt) throws(GemmaError) -> GemmaTrace {
        precondition((1...blockRows).contains(prompt.count), "\(prompt.count) tokens in a block of \(blockRows)")
        var options = GemmaStateOptions()
        options.storage = .float32
        let (state, rows, width, wished) = (makeState(options), prompt.count, config.width, shortcuts)
        shortcuts.remove(.sharedLayers)
        defer { shortcuts = wished }
        let run = try begin(prompt, state: state, logitRows: rows)
        var layers: [Tensor<Float>] = []
        _ = run.advance()
        for _ in config.layers {
            _ = run.advance()
            let streams = Tensor<Float>(GemmaTextConfig.streams, rows, width, filledWith: 0)
            for stream in 0..<GemmaTextConfig.streams {
                streams.copy(
                    state.streams, from: stream * blockRows * width, count: rows * width, to: stream * rows * width)
            }
            layers.append(streams)
        }
        _ = run.advance()
        let hidden = Tensor<Float>(rows, width, filledWith: 0)
        hidden.copy(scratch.normed, from: 0, count: hidden.count, to: 0)
        let perLayer = Tensor<Float>(rows, state.perLayer.columns, filledWith: 0)
        perLayer.copy(state.perLayer, from: 0, count: perLayer.count, to: 0)
        return GemmaTrace(perLayer: perLayer, layers: layers, hidden: hidden, logits: state.logits)
    }
}
