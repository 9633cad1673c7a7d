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
            pool.shareRows(rows, of: 8 * block.width) { rows in
                for row in rows {
                    var target = buffers.gate.mutableRow(row)
                    multiplyGELU(&target, by: buffers.up.row(row))
                }
            }
            down(buffers.gate, rows: rows, into: branch, pool: pool)
        case .sparse(let gate, let up, let down, let deviations):
            gate(normed, rows: rows, into: buffers.gate, pool: pool)
            let counts = cut(buffers, rows: rows, deviations: deviations)
            multiplySurvivors(buffers, counts, by: up, of: normed)
            addSurvivors(buffers, counts, of: down, into: branch)
        }
    }

    /// Cuts the gates of each row; what survives stands packed at the front of `gate`, its places in `survivors`.
    /// - Returns: How many survive in each row.
    private func cut(_ buffers: FeedForwardBuffers, rows: Int, deviations: Float) -> [Int] {
        let keepsZeros = !shortcuts.contains(.sparseRows)
        let counts = Tensor<Int>(rows, 1, filledWith: 0)
        pool.shareRows(rows, of: 4 * buffers.gate.columns) { rows in
            for row in rows {
                var gates = buffers.gate.mutableRow(row)
                var indices = buffers.survivors.mutableRow(row)
                counts[row, 0] =
                    keepsZeros
                    ? keepGates(&gates, deviations: deviations, into: &indices)
                    : cutGates(&gates, deviations: deviations, into: &indices)
            }
        }
        return counts.array
    }

    /// gate = GELU(gate) · up x, for the survivors.
    private func multiplySurvivors(
        _ buffers: FeedForwardBuffers, _ counts: [Int], by up: RowTable, of input: Tensor<Float>
    ) {
        let parts = partsPerRow(counts.count)
        pool.run(counts.count * parts) { task in
            let (row, count) = (task / parts, counts[task / parts])
            let share = (count + parts - 1) / parts
            let start = row * buffers.gate.columns
            let part = start + min(task % parts * share, count)..<start + min((task % parts + 1) * share, count)
            var products = buffers.up.mutableSpan(of: part)
            up.dots(buffers.survivors.span.extracting(part), with: input.row(row), into: &products)
            var gates = buffers.gate.mutableSpan(of: part)
            multiplyGELU(&gates, by: products.span)
        }
    }

    /// output = Σ gate · down row, over the survivors.
    private func addSurvivors(
        _ buffers: FeedForwardBuffers, _ counts: [Int], of down: RowTable, into output: Tensor<Float>
    ) {
        let (parts, width) = (partsPerRow(counts.count), output.columns)
        let grains = (width + RowTable.columnGrain - 1) / RowTable.columnGrain
        let share = (grains + parts - 1) / parts * RowTable.columnGrain
        pool.run(counts.count * parts) { task in
            let row = task / parts
            let columns = min(task % parts * share, width)..<min((task % parts + 1) * share, width)
            if columns.isEmpty { return }  // more threads than grains
            let packed = row * buffers.gate.columns..<row * buffers.gate.columns + counts[row]
            var target = output.mutableSpan(of: row * width + columns.lowerBound..<row * width + columns.upperBound)
            for column in target.indices { target[column] = 0 }
            down.addRows(
                buffers.survivors.span.extracting(packed), weights: buffers.gate.span.extracting(packed),
                columns: columns, into: &target)
        }
    }

    /// With few rows the threads share each of them.
    private func partsPerRow(_ rows: Int) -> Int { rows >= 2 * pool.threads ? 1 : pool.threads }
}

/// [B, F] each.
struct FeedForwardBuffers {
    let gate: Tensor<Float>
    let up: Tensor<Float>
    /// Which entries of a row are packed at its front.
    let survivors: Tensor<Int32>

    init(rows: Int, width: Int) {
        gate = Tensor(rows, width, filledWith: 0)
        up = Tensor(rows, width, filledWith: 0)
        survivors = Tensor(rows, width, filledWith: 0)
    }
}
