import Kernels
import Layers

/// A prompt on its way through the decoder, one layer of one block of tokens a step.
///
/// Between two steps other runs may use the decoder: what is under way lies in the state. A run that is given up needs
/// `state.truncate(to: state.count)`.
package final class GemmaRun {
    private let decoder: GemmaDecoder
    private let prompt: GemmaPrompt
    private let state: GemmaState
    private let logitRows: Int
    private let logits: GemmaLogits
    private var done = 0  // tokens of finished blocks
    private var block: GemmaBlock?

    init(decoder: GemmaDecoder, prompt: GemmaPrompt, state: GemmaState, logitRows: Int, logits: GemmaLogits) {
        precondition((0...min(decoder.blockRows, prompt.count)).contains(logitRows), "\(logitRows) of \(prompt.count)")
        (self.decoder, self.prompt, self.state) = (decoder, prompt, state)
        (self.logitRows, self.logits) = (logitRows, logits)
        if logitRows > state.logits.rows {
            state.logits = Tensor(logitRows, state.logits.columns, filledWith: 0)
        }
    }

    package var isFinished: Bool { done == prompt.count }

    /// Does one step.
    /// - Returns: Whether the run is finished: the logits are in the state.
    package func advance() -> Bool {
        if isFinished { return true }
        guard var block else {
            self.block = decoder.enter(nextBlock(), prompt: prompt, state: state)
            return false
        }
        if block.layer < decoder.config.layers.count, block.rows > 0 {
            decoder.runLayer(&block, state: state)
            self.block = block
            return false
        }
        let isLast = block.tokens.upperBound == prompt.count
        if isLast {
            decoder.leave(block, rows: logitRows, logits: logits, state: state)
            state.logitRows = logitRows
        }
        state.count += block.tokens.count
        done = block.tokens.upperBound
        self.block = nil
        return isFinished
    }

    /// Blocks of equal size, but that the last one holds all tokens with logits.
    private func nextBlock() -> GemmaBlock {
        let left = prompt.count - done
        let blocks = (left + decoder.blockRows - 1) / decoder.blockRows
        let rows = blocks == 1 ? left : min((left + blocks - 1) / blocks, left - logitRows)
        let isLast = rows == left
        return GemmaBlock(tokens: done..<done + rows, position: state.count, wanted: isLast ? logitRows : 0)
    }
}

/// Which logits are wanted.
package enum GemmaLogits: Sendable {
    case all
    /// The largest ones, to choose the most probable token by; the others may be estimates, smaller than these.
    case largest
}

/// Tokens that go through the layers together.
struct GemmaBlock {
    /// In the prompt.
    let tokens: Range<Int>
    /// Of the first token.
    let position: Int
    /// How many of the last tokens want logits.
    let wanted: Int
    /// The next layer.
    var layer = 0
    /// How many of the last tokens are still on their way: rows 0..<rows of the streams.
    var rows: Int

    init(tokens: Range<Int>, position: Int, wanted: Int) {
        (self.tokens, self.position, self.wanted) = (tokens, position, wanted)
        rows = tokens.count
    }

    /// The token of the block that row 0 of the streams belongs to.
    var firstRow: Int { tokens.count - rows }
}
