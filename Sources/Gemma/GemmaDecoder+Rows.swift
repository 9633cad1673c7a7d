import Glibc
import Kernels
import Layers

// What a layer does to rows between its matrix products, in plain loops.

extension GemmaDecoder {
    /// In place: p[i] = s[i] + Σ C[i, j] s[j], C from stream 0.
    func predict(_ streams: Tensor<Float>, rows: Int, _ altUp: GemmaLayerWeights.AltUp) {
        altUp.routerNorm(streams, rows: rows, into: scratch.normed, pool: pool)
        let (width, normed) = (config.width, scratch.normed)
        pool.shareRows(rows, of: 4 * width) { rows in
            for row in rows {
                let c = combine(altUp.prediction, route(normed.row(row), altUp))
                mixStreams(streams, row: row, coefficients: c.span)
            }
        }
    }

    /// In place: c[i] = p[i] + k[i] (o - p[0]), k from o; `scaled` becomes c[0] · output scale.
    func correct(
        _ streams: Tensor<Float>, with output: Tensor<Float>, rows: Int, _ altUp: GemmaLayerWeights.AltUp,
        into scaled: Tensor<Float>
    ) {
        altUp.routerNorm(output, rows: rows, into: scaled, pool: pool)
        pool.shareRows(rows, of: 4 * config.width) { rows in
            for row in rows {
                let k = combine(altUp.correction, route(scaled.row(row), altUp)).map { $0 + 1 }
                var target = scaled.mutableRow(row)
                correctStreams(
                    streams, row: row, with: output.row(row), coefficients: k.span, scale: altUp.outputScale.row(0),
                    into: &target)
            }
        }
    }

    /// tanh(router v / D): how much each of the four routes counts.
    private func route(_ normed: Span<Float>, _ altUp: GemmaLayerWeights.AltUp) -> [Float] {
        (0..<GemmaTextConfig.streams).map { tanhf(dot(altUp.router.row($0), normed) / Float(config.width)) }
    }

    /// matrix [n, 4] · routes [4].
    private func combine(_ matrix: [Float], _ routes: [Float]) -> [Float] {
        stride(from: 0, to: matrix.count, by: routes.count).map { start in
            routes.indices.reduce(0) { $0 + matrix[start + $1] * routes[$1] }
        }
    }

    /// output = (stream 0 + attention + laurel) / √2.
    func join(
        _ streams: Tensor<Float>, _ attention: Tensor<Float>, _ laurel: Tensor<Float>, rows: Int,
        into output: Tensor<Float>
    ) {
        let half = Float(0.5).squareRoot()
        pool.shareRows(rows, of: 3 * config.width) { rows in
            addThree(streams, attention, laurel, rows: rows, factor: half, into: output)
        }
    }

    /// In place: GELU(gate) · per-layer embedding of that layer.
    func gatePerLayer(_ gates: Tensor<Float>, _ embeddings: Tensor<Float>, layer: Int, _ block: GemmaBlock) {
        let width = config.perLayerWidth
        pool.shareRows(block.rows, of: 8 * width) { rows in
            for row in rows {
                var target = gates.mutableRow(row)
                let all = embeddings.row(block.firstRow + row)
                multiplyGELU(&target, by: all.extracting(layer * width..<(layer + 1) * width))
            }
        }
    }

    /// Streams 1...3 take the per-layer term; the active stream does not.
    func addToPassiveStreams(_ streams: Tensor<Float>, _ term: Tensor<Float>, rows: Int) {
        pool.shareRows(rows, of: 3 * config.width) { rows in
            for row in rows {
                for stream in 1..<GemmaTextConfig.streams {
                    var target = streams.mutableRow(stream * blockRows + row)
                    axpy(1, term.row(row), into: &target)
                }
            }
        }
    }

    /// output row firstRow + i = x row i, stretched to the magnitude of `model` row i. Output may be x.
    func matchMagnitude(
        _ x: Tensor<Float>, to model: Tensor<Float>, rows: Int, into output: Tensor<Float>, firstRow: Int
    ) {
        let width = Float(config.width)
        pool.shareRows(rows, of: 3 * config.width) { rows in
            for row in rows {
                let source = x.row(row)
                let goal = model.row(row)
                let wanted = (dot(goal, goal) / width).squareRoot()
                let factor = wanted / max(dot(source, source) / width, 1e-5).squareRoot()
                var target = output.mutableRow(firstRow + row)
                scale(source, by: factor, into: &target)
            }
        }
    }

    func addRows(_ x: Tensor<Float>, to sums: Tensor<Float>, rows: Int, factor: Float) {
        for row in 0..<rows {
            var target = sums.mutableRow(row)
            axpy(factor, x.row(row), into: &target)
        }
    }

    func scaleRows(_ x: Tensor<Float>, rows: Int, by factor: Float) {
        for row in 0..<rows {
            var target = x.mutableRow(row)
            for d in target.indices { target[d] *= factor }
        }
    }

    func moveRows(_ x: Tensor<Float>, from: Int, count: Int, to: Int) {
        var target = x.mutableSpan(of: to..<to + count)
        let source = x.span.extracting(from..<from + count)
        for index in source.indices { target[index] = source[index] }
    }

    /// Logits between -cap and cap.
    func cap(_ x: Tensor<Float>, rows: Int, at cap: Float) {
        pool.shareNumbers(rows * x.columns, cost: 16) { numbers in
            var target = x.mutableSpan(of: numbers)
            softCap(&target, at: cap)
        }
    }
}

/// `cutGates` without packing: what is cut off stays, as zeros.
func keepGates(_ gates: inout MutableSpan<Float>, deviations: Float, into indices: inout MutableSpan<Int32>) -> Int {
    let cut = cutLevel(gates.span, deviations: deviations)
    for i in gates.indices {
        gates[i] = gates[i] > cut ? gates[i] - cut : 0
        indices[i] = Int32(i)
    }
    return gates.count
}
