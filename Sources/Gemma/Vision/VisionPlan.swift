import Kernels
import Layers

/// Part of the network that can be done a few rows of pixels at a time, in order.
struct VisionPass {
    let rows: Int
    /// Multiplications of one row, about.
    let work: Int
    /// What is done when the pass is.
    var label: String?
    let run: (Range<Int>) -> Void
}

/// The passes of one picture. Between two of them the picture is `map`, [side · side, channels].
///
/// A pass works on so few rows that what lies inside a block, up to six times as wide as the picture, stays in the caches and
/// is never whole in memory.
final class VisionPlan {
    let weights: GemmaVisionWeights
    let pool: ThreadPool
    let scratch: VisionScratch
    private let resolution: Int
    private(set) var passes: [VisionPass] = []
    private(set) var map: Tensor<Float>
    private(set) var tokens: Tensor<Float>
    /// Of the map, when the passes that are there are done.
    var side: Int
    private var isOdd = false
    private var target: Tensor<Float>?

    init(_ encoder: GemmaVisionEncoder, resolution: Int, fill: @escaping (Tensor<Float>) -> Void) {
        (weights, pool, scratch) = (encoder.weights, encoder.pool, encoder.scratch)
        self.resolution = resolution
        let nothing = Tensor<Float>(1, 1, filledWith: 0)
        (map, tokens, side) = (nothing, nothing, resolution)
        addPass(rows: 1, of: side * side, columns: 3, work: side * side * 100) { _, pixels, _ in fill(pixels) }
        addStem()
        for (index, stage) in weights.stages.enumerated() {
            if index == weights.stages.count - 1 { keepMap() }
            for block in stage {
                switch block {
                case .edge(let edge): addEdge(edge)
                case .inverted(let inverted): addInverted(inverted)
                case .attention(let attention): addAttention(attention)
                }
            }
            passes[passes.count - 1].label = "stage\(index)"
        }
        addNeck()
        addTokens()
    }

    /// A pass that writes a new map, `pixels` rows of it for each of its own.
    ///
    /// - Parameter body: Gets the map it reads, the part it writes and the rows to do.
    func addPass(
        rows: Int, of pixels: Int, columns: Int, work: Int, label: String? = nil,
        _ body: @escaping (Tensor<Float>, Tensor<Float>, Range<Int>) -> Void
    ) {
        passes.append(
            VisionPass(rows: rows, work: work, label: label) { [unowned self] range in
                let target = target ?? scratch.take(isOdd ? .even : .odd, rows: rows * pixels, columns: columns)
                self.target = target
                let part = target.part(rows: range.lowerBound * pixels..<range.upperBound * pixels)
                body(map, part, range)
                if range.upperBound < rows { return }
                (map, isOdd, self.target) = (target, !isOdd, nil)
            })
    }

    /// A pass that changes the map, or only reads it.
    func addPass(rows: Int, work: Int, _ body: @escaping (Tensor<Float>, Range<Int>) -> Void) {
        passes.append(VisionPass(rows: rows, work: work) { [unowned self] range in body(map, range) })
    }

    /// The map of the stage before the last, for the neck.
    private func keepMap() {
        addPass(rows: 1, work: 0) { [unowned self] map, _ in
            scratch.take(.kept, rows: map.rows, columns: map.columns).copy(map, from: 0, count: map.count, to: 0)
        }
    }

    private func addStem() {
        let (stem, norm) = (weights.stem, weights.stemNorm)
        let geometry = ConvolutionGeometry(height: side, width: side, kernel: 3, stride: 2)
        let width = geometry.outputWidth
        addPass(
            rows: width, of: width, columns: stem.outputs, work: width * 27 * stem.outputs, label: "stem"
        ) { [unowned self] pixels, output, rows in
            let windows = gather(pixels, geometry, rows)
            stem(windows, rows: output.rows, into: output, pool: pool)
            norm.gelu(output, rows: output.rows, into: output, pool: pool)
        }
        side = width
    }

    private func addEdge(_ block: EdgeWeights) {
        let shape = block.shape
        let geometry = ConvolutionGeometry(height: side, width: side, kernel: shape.kernel, stride: shape.stride)
        let width = geometry.outputWidth
        addPass(
            rows: width, of: width, columns: shape.outputs,
            work: width * shape.hidden * (block.expand.inputs + shape.outputs)
        ) { [unowned self] input, output, rows in
            let windows = gather(input, geometry, rows)
            let hidden = scratch.take(.hidden, rows: output.rows, columns: shape.hidden)
            block.expand(windows, rows: hidden.rows, into: hidden, pool: pool)
            block.expandNorm.gelu(hidden, rows: hidden.rows, into: hidden, pool: pool)
            if shape.isResidual {
                output.copy(input, from: rows.lowerBound * width * shape.inputs, count: output.count, to: 0)
            }
            project(hidden, block.project, block.projectNorm, into: output, adding: shape.isResidual)
        }
        side = width
    }

    /// Windows of output rows, [pixels, kernel · kernel · channels].
    private func gather(
        _ input: Tensor<Float>, _ geometry: ConvolutionGeometry, _ rows: Range<Int>
    ) -> Tensor<Float> {
        let width = geometry.outputWidth
        let windows = scratch.take(
            .windows, rows: rows.count * width, columns: geometry.kernel * geometry.kernel * input.columns)
        pool.run(rows.count) { index in
            let row = rows.lowerBound + index
            geometry.gather(input, rows: row..<row + 1, into: windows, at: index * width)
        }
        return windows
    }

    /// output = norm(hidden Wᵀ), or output += that.
    func project(
        _ hidden: Tensor<Float>, _ linear: Linear, _ norm: RMSNorm, into output: Tensor<Float>, adding: Bool
    ) {
        let projected = adding ? scratch.take(.projected, rows: output.rows, columns: output.columns) : output
        linear(hidden, rows: output.rows, into: projected, pool: pool)
        norm(projected, rows: output.rows, into: output, adding: adding, pool: pool)
    }

    /// The two last stages become one map of the network's output, 16 × 16.
    private func addNeck() {
        let (neck, norm, kept) = (weights.neck, weights.neckNorm, weights.config.fusedWidths[0])
        let (low, coarse) = (weights.config.fusedWidths[1], side)
        let fine = GemmaVisionConfig.side(resolution, halvings: weights.stages.count)
        addPass(
            rows: fine, of: fine, columns: neck.shape.outputs,
            work: fine * neck.shape.hidden * (neck.shape.inputs + neck.shape.outputs)
        ) { [unowned self] map, output, rows in
            let high = scratch.take(.kept, rows: fine * fine, columns: kept)
            let joined = scratch.take(.windows, rows: output.rows, columns: kept + low)
            for (index, pixel) in (rows.lowerBound * fine..<rows.upperBound * fine).enumerated() {
                let nearest = pixel / fine * coarse / fine * coarse + pixel % fine * coarse / fine
                joined.copy(high, from: pixel * kept, count: kept, to: index * (kept + low))
                joined.copy(map, from: nearest * low, count: low, to: index * (kept + low) + kept)
            }
            let hidden = scratch.take(.hidden, rows: output.rows, columns: neck.shape.hidden)
            neck.expand(joined, rows: hidden.rows, into: hidden, pool: pool)
            neck.expandNorm.gelu(hidden, rows: hidden.rows, into: hidden, pool: pool)
            project(hidden, neck.project, neck.projectNorm, into: output, adding: false)
        }
        let grid = VisionGrid(from: fine, to: weights.config.outputSide)
        addPass(
            rows: grid.target, of: grid.target, columns: neck.shape.outputs,
            work: grid.target * neck.shape.outputs * 10,
            label: "tower"
        ) { [unowned self] map, output, rows in
            pool.run(rows.count) { grid.makeRow(rows.lowerBound + $0, of: map, into: output, at: $0 * grid.target) }
            norm(output, rows: output.rows, into: output, pool: pool)
        }
        side = grid.target
    }

    private func addTokens() {
        let embedder = weights.embedder
        let (side, count, width) = (side, weights.config.tokens, embedder.textWidth)
        addPass(rows: side, work: side * weights.config.width * width) { [unowned self] map, rows in
            if rows.lowerBound == 0 { tokens = Tensor(count, width, filledWith: 0) }
            let pixels = rows.lowerBound * side..<rows.upperBound * side
            embedder.embed(map.part(rows: pixels), rows: pixels.count, into: tokens.part(rows: pixels), pool: pool)
        }
    }
}
