import Kernels
import Layers

// Into the streams and out of them.

extension GemmaDecoder {
    /// Fills streams, per-layer embeddings and rotations of a block.
    func enter(_ block: GemmaBlock, prompt: GemmaPrompt, state: GemmaState) -> GemmaBlock {
        let (rows, streams, s) = (block.rows, state.streams, scratch)
        pool.run(rows) { row in
            let token = block.tokens.lowerBound + row
            var target = streams.mutableRow(row)
            if let overlay = prompt.overlay(at: token) {
                streams.copy(overlay.rows.row(overlay.row), to: row * config.width)
            } else {
                embed(prompt.ids[token], into: &target)
            }
        }
        makePerLayer(block, prompt: prompt, state: state)
        for (index, projection) in weights.streamsIn.enumerated() {
            projection(streams, rows: rows, into: s.branch, pool: pool)
            matchMagnitude(s.branch, to: streams, rows: rows, into: streams, firstRow: (index + 1) * blockRows)
        }
        let positions = block.position..<block.position + rows
        state.fullRotation.prepare(positions)
        state.slidingRotation.prepare(positions)
        return block
    }

    /// Per-layer embeddings of a block: from the table by id, plus a projection of the embedding.
    private func makePerLayer(_ block: GemmaBlock, prompt: GemmaPrompt, state: GemmaState) {
        let (rows, width, perLayer) = (block.rows, config.perLayerWidth, state.perLayer)
        weights.perLayerProjection(state.streams, rows: rows, into: perLayer, pool: pool)
        let scale = 1 / Float(config.width).squareRoot()
        pool.shareRows(rows, of: perLayer.columns) { rows in
            for row in rows {
                var values = perLayer.mutableRow(row)
                for column in values.indices { values[column] *= scale }
            }
        }
        weights.perLayerNorm(perLayer, rows: rows, into: perLayer, pool: pool)
        let tableScale = Float(width).squareRoot()
        let half = Float(0.5).squareRoot()
        pool.run(rows) { row in
            let id = prompt.ids[block.tokens.lowerBound + row]
            let entry = (0..<config.textVocabulary).contains(id) ? id : 0  // sounds and pictures take <pad>'s row
            // A whole row: slices of a quantised one may begin within a block.
            let gathered = Tensor<Float>(1, config.storedLayers * width, filledWith: 0)
            var all = gathered.mutableSpan
            weights.perLayerEmbedding.copyRow(entry, into: &all)
            for (index, layer) in config.layers.enumerated() {
                let slice = gathered.span.extracting(layer.stored * width..<(layer.stored + 1) * width)
                let start = row * perLayer.columns + index * width
                var values = perLayer.mutableSpan(of: start..<start + width)
                for column in values.indices {
                    values[column] = (slice[column] * tableScale + values[column]) * half
                }
            }
        }
    }

    /// Logits of the last `wanted` rows, from the streams behind the last layer.
    func leave(_ block: GemmaBlock, rows wanted: Int, logits: GemmaLogits, state: GemmaState) {
        if wanted == 0 { return }
        let (s, streams, width) = (scratch, state.streams, config.width)
        let first = block.rows - wanted
        func take(_ stream: Int, into target: Tensor<Float>) {
            target.copy(streams, from: (stream * blockRows + first) * width, count: wanted * width, to: 0)
        }
        take(0, into: s.joined)
        let sums = Tensor<Float>(wanted, width, filledWith: 0)
        sums.copy(s.joined, from: 0, count: wanted * width, to: 0)
        for (index, projection) in weights.streamsOut.enumerated() {
            take(index + 1, into: s.normed)
            projection(s.normed, rows: wanted, into: s.branch, pool: pool)
            matchMagnitude(s.branch, to: s.joined, rows: wanted, into: s.branch, firstRow: 0)
            addRows(s.branch, to: sums, rows: wanted, factor: 1)
        }
        scaleRows(sums, rows: wanted, by: 1 / Float(GemmaTextConfig.streams))
        weights.norm(sums, rows: wanted, into: s.normed, pool: pool)
        if logits == .largest && shortcuts.contains(.sketchedHead) {
            weights.embedding.largest(s.normed, rows: wanted, into: state.logits, pool: pool)
        } else {
            weights.embedding(s.normed, rows: wanted, into: state.logits, pool: pool)
        }
        cap(state.logits, rows: wanted, at: Float(config.softCap))
    }
}
