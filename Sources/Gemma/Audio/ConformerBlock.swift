import Kernels
import Layers

/// What a block remembers of the frames before: T frames, W window, K taps, D width.
struct ConformerState {
    let keys: Tensor<Float>  // [W - 1, D], oldest first, the last one just before the next frame
    let values: Tensor<Float>
    let gated: Tensor<Float>  // [K - 1, D], what the light convolution saw last

    init(_ config: GemmaAudioConfig) {
        keys = Tensor(config.window - 1, config.width, filledWith: 0)
        values = Tensor(config.window - 1, config.width, filledWith: 0)
        gated = Tensor(config.taps - 1, config.width, filledWith: 0)
    }

    /// Keys and values of frames that do not exist are never looked at; the convolution sees zeros.
    func reset() { gated.fill(0) }

    var byteCount: Int { (keys.count + values.count + gated.count) * MemoryLayout<Float>.size }
}

/// Memory of one block at work; all blocks and streams use it by turns.
struct ConformerScratch {
    let rows: Int
    let normed: Tensor<Float>  // [T, D]
    let wide: Tensor<Float>  // [T, 4D]
    let doubled: Tensor<Float>  // [T, 2D]
    let query: Tensor<Float>  // [T, D] as the next three
    let fresh: Tensor<Float>  // keys, or what the light convolution sees
    let freshValues: Tensor<Float>
    let branch: Tensor<Float>
    let keys: Tensor<Float>  // [W - 1 + T, D], the past in front
    let values: Tensor<Float>
    let gated: Tensor<Float>  // [K - 1 + T, D]
    let scores: Tensor<Float>  // [T, heads · W]

    init(_ weights: GemmaAudioWeights, rows: Int) {
        let c = weights.config
        self.rows = rows
        normed = Tensor(rows, c.width, filledWith: 0)
        wide = Tensor(rows, 4 * c.width, filledWith: 0)
        doubled = Tensor(rows, 2 * c.width, filledWith: 0)
        query = Tensor(rows, c.width, filledWith: 0)
        fresh = Tensor(rows, c.width, filledWith: 0)
        freshValues = Tensor(rows, c.width, filledWith: 0)
        branch = Tensor(rows, c.width, filledWith: 0)
        keys = Tensor(c.window - 1 + rows, c.width, filledWith: 0)
        values = Tensor(c.window - 1 + rows, c.width, filledWith: 0)
        gated = Tensor(c.taps - 1 + rows, c.width, filledWith: 0)
        scores = Tensor(rows, c.heads * c.window, filledWith: 0)
    }
}

/// One block over some frames of one stream.
struct ConformerBlock {
    let weights: ConformerWeights
    let config: GemmaAudioConfig
    let scratch: ConformerScratch
    let pool: ThreadPool

    /// - Parameters:
    ///   - x: [≥ rows, D], in place.
    ///   - firstFrame: Number of the first row in the stream.
    ///   - state: Of the frames before; gets these.
    ///   - wanted: The rows whose output is wanted, ascending; they come out first in `x`. Nil: all.
    func run(_ x: Tensor<Float>, rows: Int, firstFrame: Int, state: ConformerState, wanted: [Int]?) {
        feedForward(weights.feedForwardStart, x, rows: rows)
        attend(x, rows: rows, firstFrame: firstFrame, state: state)
        let left = convolve(x, rows: rows, state: state, wanted: wanted ?? Array(0..<rows))
        feedForward(weights.feedForwardEnd, x, rows: left)
        weights.norm(x, rows: left, into: x, pool: pool)
    }

    private func feedForward(_ part: ConformerWeights.FeedForward, _ x: Tensor<Float>, rows: Int) {
        part.preNorm(x, rows: rows, into: scratch.normed, pool: pool)
        part.up(scratch.normed, rows: rows, into: scratch.wide, activation: .silu, pool: pool)
        part.down(scratch.wide, rows: rows, into: scratch.branch, pool: pool)
        part.postNorm(scratch.branch, rows: rows, into: x, adding: true, pool: pool)
    }

    private func attend(_ x: Tensor<Float>, rows: Int, firstFrame: Int, state: ConformerState) {
        let (part, s) = (weights.attention, scratch)
        part.preNorm(x, rows: rows, into: s.normed, pool: pool)
        Linear.apply(
            [
                Linear.Product(part.query, into: s.query), Linear.Product(part.key, into: s.fresh),
                Linear.Product(part.value, into: s.freshValues)
            ], to: s.normed, rows: rows, pool: pool)
        join(state.keys, s.fresh, rows: rows, into: s.keys)
        join(state.values, s.freshValues, rows: rows, into: s.values)
        pool.shareRows(rows, of: 2 * config.window * config.width) { rows in
            for row in rows { attend(row, frame: firstFrame + row) }
        }
        part.output(s.normed, rows: rows, into: s.branch, pool: pool)
        part.postNorm(s.branch, rows: rows, into: x, adding: true, pool: pool)
    }

    /// Into row `row` of `normed`: what its query sees, the newest key first.
    private func attend(_ row: Int, frame: Int) {
        let (s, headDim, past) = (scratch, config.headDim, config.window - 1)
        let count = min(frame, past) + 1
        var query = s.query.mutableRow(row)
        for column in query.indices { query[column] *= weights.attention.queryScale[column] }
        for head in 0..<config.heads {
            let columns = head * headDim..<(head + 1) * headDim
            let query = s.query.row(row).extracting(columns)
            let start = row * s.scores.columns + head * config.window
            var scores = s.scores.mutableSpan(of: start..<start + count)
            for distance in 0..<count {
                scores[distance] =
                    dot(query, s.keys.row(past + row - distance).extracting(columns))
                    + dot(query, weights.attention.positions.row(distance).extracting(columns))
            }
            softCap(&scores, at: Float(config.logitCap))
            softmax(&scores)
            let width = config.width
            var output = s.normed.mutableSpan(of: row * width + columns.lowerBound..<row * width + columns.upperBound)
            for column in output.indices { output[column] = 0 }
            for distance in 0..<count {
                axpy(scores[distance], s.values.row(past + row - distance).extracting(columns), into: &output)
            }
        }
    }

    /// The light convolution; behind it `x` has the wanted rows only.
    /// - Returns: How many these are.
    private func convolve(_ x: Tensor<Float>, rows: Int, state: ConformerState, wanted: [Int]) -> Int {
        let (part, s, width) = (weights.convolution, scratch, config.width)
        part.preNorm(x, rows: rows, into: s.normed, pool: pool)
        part.start(s.normed, rows: rows, into: s.doubled, pool: pool)
        pool.shareRows(rows, of: 8 * width) { rows in
            for row in rows {
                let first = row * 2 * width
                var gates = s.doubled.mutableSpan(of: first + width..<first + 2 * width)
                activate(&gates, .sigmoid)
                let values = s.doubled.row(row)
                var output = s.fresh.mutableRow(row)
                for column in 0..<width { output[column] = values[column] * gates[column] }
            }
        }
        join(state.gated, s.fresh, rows: rows, into: s.gated)
        pool.shareRows(wanted.count, of: 8 * width) { indices in
            for index in indices { filter(wanted[index], into: index) }
        }
        part.norm(s.branch, rows: wanted.count, into: s.branch, pool: pool)
        pool.shareRows(wanted.count, of: 8 * width) { rows in
            for row in rows {
                var values = s.branch.mutableRow(row)
                activate(&values, .silu)
            }
        }
        for (index, row) in wanted.enumerated() where index != row {
            x.copy(x, from: row * width, count: width, to: index * width)
        }
        part.end(s.branch, rows: wanted.count, into: x, adding: true, pool: pool)
        return wanted.count
    }

    /// Row `row` of the depthwise convolution as row `index` of `branch`: every channel over its last taps.
    private func filter(_ row: Int, into index: Int) {
        var output = scratch.branch.mutableRow(index)
        for tap in 0..<config.taps {
            let (weight, input) = (weights.convolution.filter.row(tap), scratch.gated.row(row + tap))
            for column in output.indices {
                output[column] = (tap == 0 ? 0 : output[column]) + weight[column] * input[column]
            }
        }
    }

    /// Into `all`: the past and behind it these rows; the past becomes the end of that.
    private func join(_ past: Tensor<Float>, _ fresh: Tensor<Float>, rows: Int, into all: Tensor<Float>) {
        let width = config.width
        all.copy(past, from: 0, count: past.count, to: 0)
        all.copy(fresh, from: 0, count: rows * width, to: past.count)
        past.copy(all, from: rows * width, count: past.count, to: 0)
    }
}
