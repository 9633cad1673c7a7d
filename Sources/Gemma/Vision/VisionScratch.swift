import Kernels

/// The memory of an encoder at work: buffers that grow to the largest use of each and serve picture after picture.
final class VisionScratch {
    enum Slot: CaseIterable {
        /// The picture between two blocks: one is read, the other written.
        case even, odd
        /// The last stage but one, until the neck.
        case kept
        /// Of an attention block: its normed input, and its keys or values before they are packed.
        case normed, shrunk, key, value, keyValue, queries, attended
        /// Of a few rows.
        case windows, filtered, hidden, middle, projected
        /// Rows of hidden pixels on their way to a depthwise convolution.
        case rolling
    }

    private var buffers: [Slot: Tensor<Float>] = [:]
    private var heads: [[Int]: AttentionHeads] = [:]

    /// A buffer's first numbers as a matrix; what it held is undefined.
    func take(_ slot: Slot, rows: Int, columns: Int) -> Tensor<Float> {
        if let buffer = buffers[slot], buffer.count >= rows * columns { return buffer.view(rows, columns) }
        buffers[slot] = nil  // before the larger one is made
        let buffer = Tensor<Float>(rows * columns, filledWith: 0)
        buffers[slot] = buffer
        return buffer.view(rows, columns)
    }

    /// Room for `keys` keys and values of one head.
    func sharedHead(keys: Int, headDim: Int) -> AttentionHeads {
        if let head = heads[[keys, headDim]] { return head }
        let head = AttentionHeads(heads: 1, headDim: headDim, capacity: keys)
        heads[[keys, headDim]] = head
        return head
    }

    var byteCount: Int {
        let floats = buffers.values.reduce(0) { $0 + $1.count } + heads.keys.reduce(0) { $0 + 2 * $1[0] * $1[1] }
        return floats * MemoryLayout<Float>.size
    }

    func release() {
        buffers = [:]
        heads = [:]
    }
}
