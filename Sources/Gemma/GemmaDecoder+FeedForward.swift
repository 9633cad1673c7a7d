import Kernels
import Layers

extension GemmaDecoder {
    /// Into `branch`: down(GELU(gate) · up) of `normed`.
    func feedForward(_ block: GemmaLayerWeights.FeedForward, rows: Int) {
        guard let buffers = scratch.feedForward[block.width] else { preconditionFailure("no scratch") }
        let (normed, branch) = (scratch.normed, scratch.branch)
        switch block {
        case .dense(let gate, let up, let down):
            let products = [Linear.Product(gate, into: buffers.gate), Linear.Product(up, into: buffers.up)]
            Linear.apply(products, to: normed, rows: rows, pool: pool)
            pool.shareNumbers(rows * block.width, cost: 16) { numbers in
                var target = buffers.gate.mutableSpan(of: numbers)
                multiplyGELU(&target, by: buffers.up.span.extracting(numbers))
            }
            down(buffers.gate, rows: rows, into: branch, pool: pool)
        case .sparse(let gate, let up, let down, let deviations):
            gate(normed, rows: rows, into: buffers.gate, pool: pool)
            let counts = cut(buffers, rows: rows, deviations: deviations)
            up.dots(buffers.survivors, counts: counts, with: normed, rows: rows, into: buffers.up, pool: pool)
            pool.shareRows(rows, of: block.width / 4) { rows in
                for row in rows {
                    let packed = row * block.width..<row * block.width + counts[0, row]
                    var target = buffers.gate.mutableSpan(of: packed)
                    multiplyGELU(&target, by: buffers.up.span.extracting(packed))
                }
            }
            down.sums(
                buffers.survivors, weights: buffers.gate, counts: counts, rows: rows, into: branch, pool: pool)
        }
    }

    /// Cuts the gates of each row; what survives stands packed at the front of `gate`, its places in `survivors`.
    /// - Returns: How many survive in each row.
    private func cut(_ buffers: FeedForwardBuffers, rows: Int, deviations: Float) -> Tensor<Int> {
        let keepsZeros = !shortcuts.contains(.sparseRows)
        let counts = buffers.counts
        pool.shareRows(rows, of: 4 * buffers.gate.columns) { rows in
            for row in rows {
                var gates = buffers.gate.mutableRow(row)
                var indices = buffers.survivors.mutableRow(row)
                counts[0, row] =
                    keepsZeros
                    ? keepGates(&gates, deviations: deviations, into: &indices)
                    : cutGates(&gates, deviations: deviations, into: &indices)
            }
        }
        return counts
    }
}

/// [B, F] each.
struct FeedForwardBuffers {
    let gate: Tensor<Float>
    let up: Tensor<Float>
    /// Which entries of a row are packed at its front.
    let survivors: Tensor<Int32>
    /// How many: [1, B].
    let counts: Tensor<Int>

    init(rows: Int, width: Int) {
        gate = Tensor(rows, width, filledWith: 0)
        up = Tensor(rows, width, filledWith: 0)
        survivors = Tensor(rows, width, filledWith: 0)
        counts = Tensor(1, rows, filledWith: 0)
    }
}
