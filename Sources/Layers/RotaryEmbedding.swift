internal import Glibc
package import Kernels

/// Rotary position embedding (Su et al. 2021) with pairs (d, d + D/2), as a table for the positions of one block.
///
/// D headDim. Angles are rounded to float as the reference does, so far positions turn exactly as it turns them.
package final class RotaryEmbedding {
    private let frequencies: [Float]  // [D/2]: base^(-2d/D)
    private let cosines: Tensor<Float>  // [rows, D/2]
    private let sines: Tensor<Float>

    /// - Parameters:
    ///   - base: Theta.
    ///   - rows: Most positions of one block.
    package init(headDim: Int, base: Float, rows: Int) {
        precondition(headDim % 2 == 0 && headDim > 0, "heads of \(headDim)")
        frequencies = (0..<headDim / 2).map { 1 / powf(base, Float(2 * $0) / Float(headDim)) }
        cosines = Tensor(rows, headDim / 2, filledWith: 1)
        sines = Tensor(rows, headDim / 2, filledWith: 0)
    }

    /// Fills the table: row i turns to position `positions.lowerBound + i`.
    package func prepare(_ positions: Range<Int>) {
        let (cosines, sines) = (cosines, sines)
        for (row, position) in positions.enumerated() {
            var cosine = cosines.mutableRow(row)
            var sine = sines.mutableRow(row)
            for (pair, frequency) in frequencies.enumerated() {
                let angle = Double(Float(position) * frequency)
                cosine[pair] = Float(cos(angle))
                sine[pair] = Float(sin(angle))
            }
        }
    }

    /// Turns every head of the first `rows` of x.
    ///
    /// - Parameters:
    ///   - x: [≥ rows, H·D], in place.
    ///   - firstRow: The table's row for row 0 of x.
    package func callAsFunction(_ x: Tensor<Float>, rows: Int, firstRow: Int = 0, pool: ThreadPool) {
        let (half, cosines, sines) = (frequencies.count, cosines, sines)
        precondition(x.columns % (2 * half) == 0, "\(x.shape) for heads of \(2 * half)")
        pool.shareRows(rows, of: x.columns) { rows in
            for row in rows {
                var heads = x.mutableRow(row)
                rotateHeads(&heads, cosines: cosines.row(firstRow + row), sines: sines.row(firstRow + row))
            }
        }
    }
}
