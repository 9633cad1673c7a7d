import Kernels
import Layers

extension VisionPlan {
    /// Two passes: keys and values of the whole picture, then queries a few rows at a time.
    func addAttention(_ block: AttentionWeights) {
        let (shape, side) = (block.shape, side)
        let (width, inner) = (shape.width, shape.heads * shape.headDim)
        let geometry = ConvolutionGeometry(
            height: side, width: side, kernel: shape.keyKernel, stride: shape.keyStride)
        let keys = geometry.outputHeight * geometry.outputWidth
        let head = scratch.sharedHead(keys: keys, headDim: shape.headDim)
        addPass(rows: 1, work: 2 * keys * shape.headDim * width) { [unowned self] map, _ in
            let normed = scratch.take(.normed, rows: side * side, columns: width)
            block.norm(map, rows: side * side, into: normed, pool: pool)
            let pairs = scratch.take(.keyValue, rows: keys, columns: 2 * shape.headDim)
            for (index, shared) in [block.key, block.value].enumerated() {
                let projected = scratch.take(.key, rows: keys, columns: shape.headDim)
                shared.project(shrunk(normed, shared, geometry), rows: keys, into: projected, pool: pool)
                for key in 0..<keys {
                    pairs.copy(
                        projected, from: key * shape.headDim, count: shape.headDim,
                        to: (2 * key + index) * shape.headDim)
                }
            }
            head.store(pairs, keyColumn: 0, valueColumn: shape.headDim, head: 0, positions: 0..<keys)
        }
        addPass(rows: side, work: side * inner * 2 * (width + keys)) { [unowned self] map, rows in
            let pixels = rows.lowerBound * side..<rows.upperBound * side
            let output = map.part(rows: pixels)
            let normed = scratch.take(.normed, rows: side * side, columns: width).part(rows: pixels)
            let queries = scratch.take(.queries, rows: pixels.count, columns: inner)
            block.query(normed, rows: pixels.count, into: queries, pool: pool)
            let attended = scratch.take(.attended, rows: pixels.count, columns: inner)
            attend(queries, head, keys: keys, into: attended)
            let projected = scratch.take(.projected, rows: pixels.count, columns: width)
            block.output(attended, rows: pixels.count, into: projected, pool: pool)
            if !shape.isResidual { output.fill(0) }
            pool.shareRows(pixels.count, of: width) { addScaled(projected, rows: $0, scale: block.scale, into: output) }
        }
    }

    /// What keys or values are made of: every second pixel's surroundings, or the pixels themselves.
    private func shrunk(
        _ normed: Tensor<Float>, _ shared: AttentionWeights.Shared, _ geometry: ConvolutionGeometry
    ) -> Tensor<Float> {
        guard let shrink = shared.shrink else { return normed }
        let shrunk = scratch.take(
            .shrunk, rows: geometry.outputHeight * geometry.outputWidth, columns: normed.columns)
        apply(shrink, normed, firstRow: 0, geometry, 0..<geometry.outputHeight, into: shrunk)
        shrink.norm(shrunk, rows: shrunk.rows, into: shrunk, pool: pool)
        return shrunk
    }

    /// Heads that share keys and values are just more queries.
    private func attend(_ queries: Tensor<Float>, _ head: AttentionHeads, keys: Int, into output: Tensor<Float>) {
        let count = queries.count / head.headDim
        let rows = queries.view(count, head.headDim)
        let results = output.view(count, head.headDim)
        let rowsPerTask = 96  // 8 tiles of 12: about 100 µs at 576 keys
        pool.run((count + rowsPerTask - 1) / rowsPerTask) { task in
            head.attend(
                rows, queryColumn: 0, rows: task * rowsPerTask..<min((task + 1) * rowsPerTask, count), head: 0,
                positions: keys, visible: keys, into: results)
        }
    }
}
