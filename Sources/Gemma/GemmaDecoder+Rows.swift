import Glibc
import Kernels
import Layers

// What a layer does to rows between its matrix products, in plain loops.

extension GemmaDecoder {
    /// In place: p[i] = s[i] + Σ C[i, j] s[j], C from stream 0.
    func predict(_ streams: Tensor<Float>, rows: Int, _ altUp: GemmaLayerWeights.AltUp) {
        altUp.routerNorm(streams, rows: rows, into: scratch.normed, pool: pool)
        let (width, normed, stride) = (config.width, scratch.normed, blockRows)
        pool.shareRows(rows, of: 4 * width) { rows in
            for row in rows {
                let c = combine(altUp.prediction, route(normed.row(row), altUp))
                var s0 = streams.mutableRow(row)
                var s1 = streams.mutableRow(stride + row)
                var s2 = streams.mutableRow(2 * stride + row)
                var s3 = streams.mutableRow(3 * stride + row)
                for d in 0..<width {
                    let (a0, a1, a2, a3) = (s0[d], s1[d], s2[d], s3[d])
                    s0[d] = a0 + (c[0] * a0 + c[1] * a1 + c[2] * a2 + c[3] * a3)
                    s1[d] = a1 + (c[4] * a0 + c[5] * a1 + c[6] * a2 + c[7] * a3)
                    s2[d] = a2 + (c[8] * a0 + c[9] * a1 + c[10] * a2 + c[11] * a3)
                    s3[d] = a3 + (c[12] * a0 + c[13] * a1 + c[14] * a2 + c[15] * a3)
                }
            }
        }
    }

    /// In place: c[i] = p[i] + k[i] (o - p[0]), k from o; `scaled` becomes c[0] · output scale.
    func correct(
        _ streams: Tensor<Float>, with output: Tensor<Float>, rows: Int, _ altUp: GemmaLayerWeights.AltUp,
        into scaled: Tensor<Float>
    ) {
        altUp.routerNorm(output, rows: rows, into: scaled, pool: pool)
        let (width, stride) = (config.width, blockRows)
        pool.shareRows(rows, of: 4 * width) { rows in
            for row in rows {
                let k = combine(altUp.correction, route(scaled.row(row), altUp)).map { $0 + 1 }
                let o = output.row(row)
                var s0 = streams.mutableRow(row)
                var s1 = streams.mutableRow(stride + row)
                var s2 = streams.mutableRow(2 * stride + row)
                var s3 = streams.mutableRow(3 * stride + row)
                var target = scaled.mutableRow(row)
                for d in 0..<width {
                    let change = o[d] - s0[d]
                    s0[d] += k[0] * change
                    s1[d] += k[1] * change
                    s2[d] += k[2] * change
                    s3[d] += k[3] * change
                    target[d] = s0[d] * altUp.outputScale[d]
                }
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
            for row in rows {
                let p = streams.row(row)
                let a = attention.row(row)
                let l = laurel.row(row)
                var target = output.mutableRow(row)
                for d in target.indices { target[d] = (p[d] + a[d] + l[d]) * half }
            }
        }
    }

    /// In place: GELU(gate) · per-layer embedding of that layer.
    func gatePerLayer(_ gates: Tensor<Float>, _ embeddings: Tensor<Float>, layer: Int, _ block: GemmaBlock) {
        let width = config.perLayerWidth
        for row in 0..<block.rows {
            var target = gates.mutableRow(row)
            let all = embeddings.row(block.firstRow + row)
            multiplyGELU(&target, by: all.extracting(layer * width..<(layer + 1) * width))
        }
    }

    /// Streams 1...3 take the per-layer term; the active stream does not.
    func addToPassiveStreams(_ streams: Tensor<Float>, _ term: Tensor<Float>, rows: Int) {
        for stream in 1..<GemmaTextConfig.streams {
            for row in 0..<rows {
                var target = streams.mutableRow(stream * blockRows + row)
                axpy(1, term.row(row), into: &target)
            }
        }
    }

    /// output row firstRow + i = x row i, stretched to the magnitude of `model` row i. Output may be x.
    func matchMagnitude(
        _ x: Tensor<Float>, to model: Tensor<Float>, rows: Int, into output: Tensor<Float>, firstRow: Int
    ) {
        let width = Float(config.width)
        for row in 0..<rows {
            let source = x.row(row)
            let goal = model.row(row)
            let wanted = (dot(goal, goal) / width).squareRoot()
            let factor = wanted / max(dot(source, source) / width, 1e-5).squareRoot()
            var target = output.mutableRow(firstRow + row)
            for d in target.indices { target[d] = source[d] * factor }
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

    /// cap · tanh(x / cap).
    func softCap(_ x: Tensor<Float>, rows: Int, at cap: Float) {
        pool.shareRows(rows, of: 16 * x.columns) { rows in
            for row in rows {
                var target = x.mutableRow(row)
                // tanh(x) = 2 σ(2x) - 1: the sigmoid is a kernel
                for index in target.indices { target[index] *= 2 / cap }
                activate(&target, .sigmoid)
                for index in target.indices { target[index] = (2 * target[index] - 1) * cap }
            }
        }
    }
}

/// gates[i] = GELU(gates[i]) · factors[i], in the tanh form: ½ (1 + tanh(u)) = σ(2u).
func multiplyGELU(_ gates: inout MutableSpan<Float>, by factors: Span<Float>) {
    let root = Float(2 * (2 / Double.pi).squareRoot())
    let weights = Tensor<Float>(gates.count, filledWith: 0)
    var shares = weights.mutableSpan
    for i in gates.indices {
        let x = gates[i]
        shares[i] = root * (x + 0.044715 * x * x * x)
    }
    activate(&shares, .sigmoid)
    for i in gates.indices { gates[i] *= shares[i] * factors[i] }
}

/// Subtracts mean + `deviations` · deviation from a row of gates and packs what stays above 0 to its front.
///
/// - Parameters:
///   - keepsZeros: Keeps the others too, as zeros: nothing is packed.
///   - indices: [gates.count]; gets where each packed one was, ascending.
/// - Returns: How many are left.
func cutGates(
    _ gates: inout MutableSpan<Float>, deviations: Float, keepsZeros: Bool, into indices: inout MutableSpan<Int32>
) -> Int {
    var (sum, squares) = (0.0, 0.0)
    for i in gates.indices { sum += Double(gates[i]) }
    let mean = sum / Double(gates.count)
    for i in gates.indices {
        let distance = Double(gates[i]) - mean
        squares += distance * distance
    }
    let cut = Float(mean + (squares / Double(gates.count)).squareRoot() * Double(deviations))
    var count = 0
    for i in gates.indices {
        let left = gates[i] - cut
        guard left > 0 || keepsZeros else { continue }
        gates[count] = max(left, 0)
        indices[count] = Int32(i)
        count += 1
    }
    return count
}
