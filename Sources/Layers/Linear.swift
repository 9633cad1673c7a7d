package import Kernels

/// y = x Wᵀ + b, the layer under all others.
///
/// Building blocks of networks live in this module. Activations are `Tensor<Float>` of [rows, columns], of which a call uses
/// the first `rows`; weights are packed when a layer is made; the threads are passed in. Results depend neither on the
/// number of threads nor on which rows are computed together.
/// ```
/// x [M, K] ─► Linear ─► [M, 3HD] ─► BidirectionalAttention | KVCache | CrossAttention ─► [M, HD] ─► Linear ─► ...
/// ```
package final class Linear: Sendable {
    private let matrix: PackedMatrix

    /// - Parameters:
    ///   - weights: [outputs, inputs] row-major.
    ///   - bias: [outputs].
    package init(
        weights: [Float], bias: [Float]?, outputs: Int, inputs: Int, precision: Precision,
        instructionSet: InstructionSet = .active
    ) {
        matrix = PackedMatrix(
            weights: weights, bias: bias, outputs: outputs, inputs: inputs, precision: precision,
            instructionSet: instructionSet)
    }

    package var inputs: Int { matrix.inputs }
    package var outputs: Int { matrix.outputs }
    package var precision: Precision { matrix.precision }

    /// - Parameters:
    ///   - input: [≥ rows, inputs].
    ///   - output: [≥ rows, outputs]; not `input`.
    ///   - adding: Adds to what `output` holds (a residual); only without activation.
    package func callAsFunction(
        _ input: Tensor<Float>, rows: Int, into output: Tensor<Float>, activation: Activation = .none,
        adding: Bool = false, pool: ThreadPool
    ) {
        let plan = Plan(matrix, rows: rows, threads: pool.threads)
        pool.run(plan.tasks) { task in
            let (rows, panels) = plan.part(task)
            matrix.multiply(
                input, rows: rows, into: output, panels: panels, activation: activation, adding: adding)
        }
    }

    /// The weights of one output, as they take part in products: an output matrix that doubles as an embedding table.
    /// - Parameter row: [inputs].
    package func copyWeights(ofOutput output: Int, into row: inout MutableSpan<Float>) {
        matrix.copyWeights(ofOutput: output, into: &row)
    }
}

/// How a product is cut into tasks: blocks of panels whose weights stay in one core's cache, times runs of rows.
private struct Plan {
    /// Below this many multiplications waking others costs more than it saves: about 2 µs on one core.
    static let worthSharing = 100_000
    /// Half of a common L2, in bytes of weights.
    static let blockBytes = 600_000
    static let rowsPerTask = 96  // 8 tiles of 12: weights of a block are read once for all of them

    let rows, panels: Int
    let rowsPerTask, panelsPerTask: Int
    let rowTasks: Int
    let tasks: Int

    init(_ matrix: PackedMatrix, rows: Int, threads: Int) {
        self.rows = rows
        panels = matrix.panels
        let depthBytes = matrix.precision == .float32 ? min(matrix.panelBytes, 384 * 128) : matrix.panelBytes
        var block = max(1, Self.blockBytes / depthBytes)
        if threads == 1 || rows * matrix.inputs * matrix.outputs < Self.worthSharing {
            rowsPerTask = max(rows, 1)
        } else {
            rowsPerTask = Self.rowsPerTask
            if rows <= Self.rowsPerTask {
                // Few rows: the panels are shared out instead, in four turns a thread to even out.
                block = min(block, max(2, (panels + 4 * threads - 1) / (4 * threads)))
            }
        }
        panelsPerTask = min(block, panels)
        rowTasks = (rows + rowsPerTask - 1) / rowsPerTask
        tasks = rowTasks * ((panels + panelsPerTask - 1) / panelsPerTask)
    }

    /// Rows run fastest, so that consecutive tasks share weights.
    func part(_ task: Int) -> (rows: Range<Int>, panels: Range<Int>) {
        let (firstPanel, firstRow) = (task / rowTasks * panelsPerTask, task % rowTasks * rowsPerTask)
        return (
            firstRow..<min(firstRow + rowsPerTask, rows), firstPanel..<min(firstPanel + panelsPerTask, panels)
        )
    }
}
