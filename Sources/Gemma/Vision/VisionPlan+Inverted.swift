import Kernels
import Layers

extension VisionPlan {
    func addInverted(_ block: InvertedWeights) {
        if let middle = block.middle {
            addRolling(block, middle)
        } else if block.start != nil || !block.shape.isResidual {
            addWide(block)
        } else {
            addPointwise(block)
        }
    }

    /// Pixels that see only themselves: in place.
    private func addPointwise(_ block: InvertedWeights) {
        let (shape, side) = (block.shape, side)
        addPass(rows: side, work: side * shape.hidden * (shape.inputs + shape.outputs)) { [unowned self] map, rows in
            let pixels = map.part(rows: rows.lowerBound * side..<rows.upperBound * side)
            let hidden = scratch.take(.hidden, rows: pixels.rows, columns: shape.hidden)
            expand(pixels, block, into: hidden)
            project(hidden, block.project, block.projectNorm, into: pixels, adding: true)
        }
    }

    /// With at most one depthwise convolution, in front.
    private func addWide(_ block: InvertedWeights) {
        let shape = block.shape
        let geometry = ConvolutionGeometry(
            height: side, width: side, kernel: max(shape.start, 1), stride: shape.stride)
        let width = geometry.outputWidth
        addPass(
            rows: width, of: width, columns: shape.outputs,
            work: width * (shape.hidden * (shape.inputs + shape.outputs) + shape.start * shape.start * shape.inputs)
        ) { [unowned self] input, output, rows in
            let hidden = scratch.take(.hidden, rows: output.rows, columns: shape.hidden)
            let source = filtered(input, block.start, geometry, rows)
            expand(source, block, into: hidden)
            if shape.isResidual {
                output.copy(input, from: rows.lowerBound * width * shape.inputs, count: output.count, to: 0)
            }
            project(hidden, block.project, block.projectNorm, into: output, adding: shape.isResidual)
        }
        side = width
    }

    /// With a depthwise convolution over the hidden pixels: of these the rows that it still needs are kept.
    private func addRolling(_ block: InvertedWeights, _ middle: InvertedWeights.Filter) {
        let (shape, side) = (block.shape, side)
        let first = ConvolutionGeometry(height: side, width: side, kernel: max(shape.start, 1), stride: 1)
        let second = ConvolutionGeometry(height: side, width: side, kernel: shape.middle, stride: shape.stride)
        let width = second.outputWidth
        let hiddenWork = shape.hidden * shape.inputs + shape.start * shape.start * shape.inputs
        let outputWork = shape.hidden * (shape.middle * shape.middle + shape.outputs)
        let work = side * shape.stride * hiddenWork + width * outputWork
        let mostRows = min(width, max(1, GemmaVisionRun.stepWork / work))
        let capacity = min((mostRows - 1) * shape.stride + shape.middle, side) * side
        let rowCount = side * shape.hidden
        var held = 0..<0
        addPass(rows: width, of: width, columns: shape.outputs, work: work) { [unowned self] input, output, rows in
            let needed = second.inputRows(of: rows)
            let hidden = scratch.take(.rolling, rows: capacity, columns: shape.hidden)
            let isFirst = rows.lowerBound == 0
            let kept = isFirst ? needed.lowerBound..<needed.lowerBound : needed.clamped(to: held)
            if !kept.isEmpty {
                hidden.copy(
                    hidden, from: (kept.lowerBound - held.lowerBound) * rowCount, count: kept.count * rowCount, to: 0)
            }
            let fresh = kept.upperBound..<needed.upperBound
            if !fresh.isEmpty {
                let source = filtered(input, block.start, first, fresh)
                expand(source, block, into: hidden.part(rows: kept.count * side..<needed.count * side))
            }
            held = needed
            let convolved = scratch.take(.middle, rows: output.rows, columns: shape.hidden)
            apply(middle, hidden, firstRow: needed.lowerBound, second, rows, into: convolved)
            middle.norm.gelu(convolved, rows: convolved.rows, into: convolved, pool: pool)
            if shape.isResidual {
                output.copy(input, from: rows.lowerBound * width * shape.inputs, count: output.count, to: 0)
            }
            project(convolved, block.project, block.projectNorm, into: output, adding: shape.isResidual)
        }
        self.side = width
    }

    private func expand(_ pixels: Tensor<Float>, _ block: InvertedWeights, into hidden: Tensor<Float>) {
        block.expand(pixels, rows: hidden.rows, into: hidden, pool: pool)
        block.expandNorm.gelu(hidden, rows: hidden.rows, into: hidden, pool: pool)
    }

    /// Some output rows of a depthwise convolution with its norm; without one, these rows themselves.
    private func filtered(
        _ input: Tensor<Float>, _ filter: InvertedWeights.Filter?, _ geometry: ConvolutionGeometry, _ rows: Range<Int>
    ) -> Tensor<Float> {
        let width = geometry.outputWidth
        guard let filter else { return input.part(rows: rows.lowerBound * width..<rows.upperBound * width) }
        let filtered = scratch.take(.filtered, rows: rows.count * width, columns: input.columns)
        apply(filter, input, firstRow: 0, geometry, rows, into: filtered)
        filter.norm(filtered, rows: filtered.rows, into: filtered, pool: pool)
        return filtered
    }

    /// The convolution alone, a row a task.
    func apply(
        _ filter: InvertedWeights.Filter, _ input: Tensor<Float>, firstRow: Int, _ geometry: ConvolutionGeometry,
        _ rows: Range<Int>, into output: Tensor<Float>
    ) {
        pool.run(rows.count) { index in
            let row = rows.lowerBound + index
            filter.filter.apply(
                input, firstInputRow: firstRow, geometry: geometry, rows: row..<row + 1, into: output,
                at: index * geometry.outputWidth)
        }
    }
}
