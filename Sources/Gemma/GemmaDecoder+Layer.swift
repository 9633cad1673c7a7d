import Kernels
import Layers

// One layer over the rows of a block. Section numbers are those of the model's description:
// s streams, p predicted streams, n normed input, o output of the layer proper, D width, P per-layer width.

extension GemmaDecoder {
    func runLayer(_ block: inout GemmaBlock, state: GemmaState) {
        let index = block.layer
        let (layer, place) = (weights.layers[index], config.layers[index])
        let (streams, s) = (state.streams, scratch)
        let rotation = place.isSliding ? state.slidingRotation : state.fullRotation
        predict(streams, rows: block.rows, layer.altUp)
        layer.inputNorm(streams, rows: block.rows, into: s.normed, pool: pool)
        // What all rows need and what only the wanted ones need: the same rows but in one layer of a prompt.
        let inner = [
            Linear.Product(layer.attention.query, into: s.query), Linear.Product(layer.laurelLeft, into: s.laurel)
        ]
        let ends = index == config.lastKeyValueLayer && shortcuts.contains(.sharedLayers) && block.wanted < block.rows
        if let own = layer.attention.keyValue, let cache = state.caches[index] {
            let outer = [Linear.Product(own.key, into: s.key), Linear.Product(own.value, into: s.value)]
            Linear.apply(ends ? outer : outer + inner, to: s.normed, rows: block.rows, pool: pool)
            own.keyNorm(s.key, rows: block.rows, into: s.key, pool: pool)
            own.valueNorm(s.value, rows: block.rows, into: s.value, pool: pool)
            rotation(s.key, rows: block.rows, firstRow: block.firstRow, pool: pool)
            cache.append(keys: s.key, values: s.value, rows: block.rows)
            if ends { keepWanted(&block, streams) }
            if ends, block.rows > 0 { Linear.apply(inner, to: s.normed, rows: block.rows, pool: pool) }
        } else {
            Linear.apply(inner, to: s.normed, rows: block.rows, pool: pool)
        }
        block.layer += 1
        let rows = block.rows
        if rows == 0 { return }

        attend(layer, block, cache: state.caches[place.keyValueLayer]!, rotation: rotation)
        layer.laurelRight(s.laurel, rows: rows, into: s.joined, pool: pool)
        layer.laurelNorm(s.joined, rows: rows, into: s.normed, adding: true, pool: pool)
        join(streams, s.branch, s.normed, rows: rows, into: s.joined)

        layer.feedForwardNorm(s.joined, rows: rows, into: s.normed, pool: pool)
        feedForward(layer.feedForward, rows: rows)
        layer.postFeedForwardNorm(s.branch, rows: rows, into: s.joined, adding: true, pool: pool)

        correct(streams, with: s.joined, rows: rows, layer.altUp, into: s.normed)
        layer.perLayerGate(s.normed, rows: rows, into: s.perLayer, pool: pool)
        gatePerLayer(s.perLayer, state.perLayer, layer: index, block)
        layer.perLayerProjection(s.perLayer, rows: rows, into: s.branch, pool: pool)
        layer.perLayerNorm(s.branch, rows: rows, into: s.branch, pool: pool)
        addToPassiveStreams(streams, s.branch, rows: rows)
    }

    /// Moves the rows that want logits to the front; the others have left their keys and values and are done.
    private func keepWanted(_ block: inout GemmaBlock, _ streams: Tensor<Float>) {
        let (width, first) = (config.width, block.rows - block.wanted)
        if first > 0, block.wanted > 0 {
            let count = block.wanted * width
            for stream in 0..<GemmaTextConfig.streams {
                let start = stream * blockRows * width
                moveRows(streams, from: start + first * width, count: count, to: start)
            }
            moveRows(scratch.normed, from: first * width, count: count, to: 0)
        }
        block.rows = block.wanted
    }

    /// Into `branch`: the normed output of the attention from `query`.
    private func attend(
        _ layer: GemmaLayerWeights, _ block: GemmaBlock, cache: GroupedKVCache, rotation: RotaryEmbedding
    ) {
        let (s, rows) = (scratch, block.rows)
        layer.attention.queryNorm(s.query, rows: rows, into: s.query, pool: pool)
        rotation(s.query, rows: rows, firstRow: block.firstRow, pool: pool)
        cache.attend(s.query, rows: rows, position: block.position + block.firstRow, into: s.attended, pool: pool)
        layer.attention.output(s.attended, rows: rows, into: s.branch, pool: pool)
        layer.attention.postNorm(s.branch, rows: rows, into: s.branch, pool: pool)
    }
}
