package import Kernels

/// One sound on its way through the encoder, token by token as it arrives.
///
/// Token k is made of samples 0 ... 2560 k + 1471 (at the published constants) and is ready as soon as these are there:
/// 92 ms after the begin of its 160 ms, the rest of which token k + 1 hears. `append` only keeps the samples; the work
/// is done in `advance`, one quantum a call.
package final class GemmaAudioStream {
    private let encoder: GemmaAudioEncoder
    private var subsampling: Subsampling
    private let states: [ConformerState]
    /// Frames that wait or are at work: [capacity, D].
    private let x: Tensor<Float>
    private var rows = 0
    /// Number of row 0 in the sound.
    private var firstFrame = 0
    /// The frames that are at work, and the block they wait for.
    private var work: (rows: Int, block: Int)?
    private var ready: [Tensor<Float>] = []
    /// Tokens made so far.
    package private(set) var tokenCount = 0
    var trace: GemmaAudioTrace?

    init(encoder: GemmaAudioEncoder, frames: Int) {
        self.encoder = encoder
        let weights = encoder.weights
        subsampling = Subsampling(weights)
        states = weights.blocks.map { _ in ConformerState(weights.config) }
        x = Tensor(frames, weights.config.width, filledWith: 0)
    }

    /// Appends samples, mono, -1...1, 16 kHz; what is no number counts as silence.
    package func append(_ samples: Span<Float>) { subsampling.append(samples) }

    /// Ends the sound behind `paddingSamples` zeros; then only `advance`, `takeTokens` and `reset` are legal.
    ///
    /// Without padding the tokens are those of the reference for the whole sound, of which the last token does not hear
    /// the very end. With 2560 samples, 160 ms, or more nothing is lost.
    package func finish(paddingSamples: Int) { subsampling.finish(paddingSamples: paddingSamples) }

    /// Forgets the sound and what has not been taken of it.
    package func reset() {
        subsampling.reset()
        for state in states { state.reset() }
        (rows, firstFrame, work, ready, tokenCount) = (0, 0, nil, [], 0)
    }

    /// Bytes that are kept of the past.
    package var stateByteCount: Int { states.reduce(0) { $0 + $1.byteCount } }

    /// Does one quantum of what can be done now: a frame before the blocks, or some frames through one block.
    /// - Returns: Whether there is more to do now.
    @discardableResult
    package func advance() -> Bool {
        if work != nil {
            runBlock()
        } else if rows < x.rows, subsampling.isReady {
            subsampling.step(into: x, row: rows, trace: trace, pool: encoder.pool)
            rows += 1
        } else if let rows = rowsToRun {
            work = (rows, 0)
            runBlock()
        }
        return work != nil || (rows < x.rows && subsampling.isReady) || rowsToRun != nil
    }

    /// The tokens that became ready since the last call: [n, text width]. Nil: none.
    package func takeTokens() -> Tensor<Float>? {
        let taken = ready
        ready = []
        if taken.count < 2 { return taken.first }
        let all = Tensor<Float>(taken.reduce(0) { $0 + $1.rows }, encoder.weights.textWidth, filledWith: 0)
        var row = 0
        for tokens in taken {
            all.copy(tokens, from: 0, count: tokens.count, to: row * all.columns)
            row += tokens.rows
        }
        return all
    }

    /// Waiting frames up to the last one that makes a token; later ones wait for the next token, or for nobody.
    private var rowsToRun: Int? {
        if trace != nil, subsampling.isDone { return rows > 0 ? rows : nil }
        let reduction = encoder.weights.config.reduction
        let past = (firstFrame + rows - 1) / reduction * reduction  // frame of the last token that can be made
        return rows > 0 && past >= firstFrame ? past - firstFrame + 1 : nil
    }

    private func runBlock() {
        guard let (count, index) = work else { return }
        let reduction = encoder.weights.config.reduction
        let tokenRows = (0..<count).filter { (firstFrame + $0) % reduction == 0 }
        let isLast = index + 1 == states.count
        // Nobody looks at the last block's other frames.
        encoder.block(index, rows: count).run(
            x, rows: count, firstFrame: firstFrame, state: states[index],
            wanted: isLast && trace == nil ? tokenRows : nil)
        trace?.layers[index] += x.array.prefix(count * x.columns)
        work = isLast ? nil : (count, index + 1)
        if isLast { emit(tokenRows, of: count) }
    }

    /// Makes tokens of the rows that the last block has left, and moves the frames that wait to the front.
    private func emit(_ tokenRows: [Int], of count: Int) {
        let width = x.columns
        if let trace {
            for (index, row) in tokenRows.enumerated() {
                x.copy(x, from: row * width, count: width, to: index * width)
            }
            trace.outputs += x.array.prefix(tokenRows.count * width)
        }
        if !tokenRows.isEmpty {
            ready.append(encoder.tokens(x, rows: tokenRows.count))
            tokenCount += tokenRows.count
        }
        x.copy(x, from: count * width, count: (rows - count) * width, to: 0)
        rows -= count
        firstFrame += count
    }
}
