/// y = W x + b with the weights laid out for vectors of eight outputs; every layer of the network is one.
///
/// A convolution over frames-major rows is one too: with its taps unrolled into columns, each output row reads a
/// contiguous stretch of the input, and the stretches of neighbouring rows overlap.
struct PackedLinear: Sendable {
    typealias Block = SIMD8<Float>

    let inputs: Int
    let outputs: Int  // a multiple of 32; rows beyond those given are zero
    private let weights: [Block]  // [outputs / 8, inputs], eight consecutive outputs in one block
    private let bias: [Block]  // [outputs / 8]

    /// - Parameters:
    ///   - rows: how many outputs are given; the rest up to the next multiple of 32 are zero.
    ///   - weight: the weight of (output, input).
    ///   - bias: [rows], or empty.
    init(rows: Int, inputs: Int, bias: [Float], weight: (Int, Int) -> Float) {
        self.inputs = inputs
        outputs = (rows + 31) / 32 * 32
        var blocks = [Block](repeating: .zero, count: outputs / 8 * inputs)
        for row in 0..<rows {
            for input in 0..<inputs { blocks[row / 8 * inputs + input][row % 8] = weight(row, input) }
        }
        weights = blocks
        var biasBlocks = [Block](repeating: .zero, count: outputs / 8)
        for (row, value) in bias.enumerated() { biasBlocks[row / 8][row % 8] = value }
        self.bias = biasBlocks
    }

    /// Computes `rows` outputs, 1, 2 or a multiple of 4.
    ///
    /// - Parameters:
    ///   - input: row r begins at r · inputStride and holds `inputs` values; rows may overlap.
    ///   - output: row r begins at r · outputStride and gets `outputs` values.
    ///   - rectified: negative outputs become 0.
    func apply(
        _ input: UnsafePointer<Float>, inputStride: Int, rows: Int, output: UnsafeMutablePointer<Float>,
        outputStride: Int, rectified: Bool = false
    ) {
        weights.withUnsafeBufferPointer { weights in
            let base = weights.baseAddress!
            // Eight vector registers of sums in each case: enough to hide the latency of an addition, few enough to
            // stay in registers.
            switch rows {
            case 1:
                for block in stride(from: 0, to: outputs / 8, by: 4) {
                    var (a, b, c, d) = (bias[block], bias[block + 1], bias[block + 2], bias[block + 3])
                    let w = base + block * inputs
                    for k in 0..<inputs {
                        let x = input[k]
                        a += w[k] * x
                        b += w[k + inputs] * x
                        c += w[k + 2 * inputs] * x
                        d += w[k + 3 * inputs] * x
                    }
                    for (index, sum) in [a, b, c, d].enumerated() {
                        store(sum, output + 8 * (block + index), rectified)
                    }
                }
            case 2:
                for block in stride(from: 0, to: outputs / 8, by: 2) {
                    var (a, b, c, d) = (bias[block], bias[block + 1], bias[block], bias[block + 1])
                    let w = base + block * inputs
                    for k in 0..<inputs {
                        let (x, y) = (input[k], input[k + inputStride])
                        a += w[k] * x
                        b += w[k + inputs] * x
                        c += w[k] * y
                        d += w[k + inputs] * y
                    }
                    store(a, output + 8 * block, rectified)
                    store(b, output + 8 * block + 8, rectified)
                    store(c, output + 8 * block + outputStride, rectified)
                    store(d, output + 8 * block + 8 + outputStride, rectified)
                }
            default:
                precondition(rows % 4 == 0, "\(rows) rows")
                for row in stride(from: 0, to: rows, by: 4) {
                    let x = input + row * inputStride
                    for block in 0..<outputs / 8 {
                        var (a, b, c, d) = (bias[block], bias[block], bias[block], bias[block])
                        let w = base + block * inputs
                        for k in 0..<inputs {
                            a += w[k] * x[k]
                            b += w[k] * x[k + inputStride]
                            c += w[k] * x[k + 2 * inputStride]
                            d += w[k] * x[k + 3 * inputStride]
                        }
                        for (index, sum) in [a, b, c, d].enumerated() {
                            store(sum, output + 8 * block + (row + index) * outputStride, rectified)
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private func store(_ sum: Block, _ output: UnsafeMutablePointer<Float>, _ rectified: Bool) {
        let value = rectified ? pointwiseMax(sum, .zero) : sum
        UnsafeMutableRawPointer(output).storeBytes(of: value, as: Block.self)
    }
}
