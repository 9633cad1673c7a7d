package import Kernels

extension Linear {
    /// One of several products of the same input.
    package struct Product {
        let layer: Linear
        let output: Tensor<Float>
        let activation: Activation
        let adding: Bool

        /// - Parameter output: [≥ rows, outputs of `layer`].
        package init(
            _ layer: Linear, into output: Tensor<Float>, activation: Activation = .none, adding: Bool = false
        ) {
            (self.layer, self.output, self.activation, self.adding) = (layer, output, activation, adding)
        }
    }

    /// Several products of one input as one job: the input is quantised once and the threads meet once.
    ///
    /// The results are those of the layers called one by one. Outputs do not overlap.
    /// - Parameter input: [≥ rows, inputs of every layer].
    package static func apply(_ products: [Product], to input: Tensor<Float>, rows: Int, pool: ThreadPool) {
        if rows == 0 { return }
        let quantizes = products.contains { $0.layer.isQuantized }
        let rounded = quantizes ? ActivationShelf.take(rows: rows, inputs: input.columns) : nil
        if let rounded { rounded.quantize(input, rows: rows, pool: pool) }
        let plan = JobPlan(products.map { $0.layer.shape }, rows: rows, threads: pool.threads)
        pool.run(plan.tasks.count) { index in
            let task = plan.tasks[index]
            let (product, rows, panels) = (products[task.product], task.rows, task.panels)
            switch product.layer.weights {
            case .packed(let matrix):
                matrix.multiply(
                    input, rows: rows, into: product.output, panels: panels, activation: product.activation,
                    adding: product.adding)
            case .quantized(let matrix):
                matrix.multiply(
                    rounded!, rows: rows, into: product.output, panels: panels, activation: product.activation,
                    adding: product.adding)
            }
        }
        if let rounded { ActivationShelf.put(rounded) }
    }

    private var isQuantized: Bool { if case .quantized = weights { true } else { false } }

    private var shape: JobPlan.Shape {
        switch weights {
        case .packed(let matrix):
            // Float weights are taken in depths of 384 inputs, of which a cache has to hold one.
            JobPlan.Shape(
                inputs: matrix.inputs, panels: matrix.panels,
                cachedPanelBytes: matrix.precision == .float32
                    ? min(matrix.panelBytes, 384 * 128) : matrix.panelBytes)
        case .quantized(let matrix):
            JobPlan.Shape(inputs: matrix.inputs, panels: matrix.panels, cachedPanelBytes: matrix.panelBytes)
        }
    }
}

extension QuantizedActivations {
    /// Numbers per task: some 10 µs.
    private static let numbersPerTask = 65_536

    /// Quantises the first `rows` of `input` on all threads.
    func quantize(_ input: Tensor<Float>, rows: Int, pool: ThreadPool) {
        let rowsPerTask = max(1, Self.numbersPerTask / inputs)
        pool.run((rows + rowsPerTask - 1) / rowsPerTask) { task in
            quantize(input, rows: task * rowsPerTask..<min((task + 1) * rowsPerTask, rows))
        }
    }
}

/// How a job is cut into tasks: blocks of panels whose weights stay in one core's cache, times runs of rows.
struct JobPlan {
    struct Shape {
        let inputs, panels: Int
        /// What a cache has to hold to use a panel twice.
        let cachedPanelBytes: Int
    }

    struct Task {
        let product: Int
        let rows, panels: Range<Int>
    }

    /// Below this many multiplications waking others costs more than it saves: about 2 µs on one core.
    private static let worthSharing = 100_000
    /// Half of a common L2, in bytes of weights.
    private static let blockBytes = 600_000
    private static let rowsPerTask = 264  // 22 tiles of 12: weights of a block are read once for all of them
    /// What is left at the end of a job is taken in pieces of this many bytes: 1 to 2 µs.
    private static let lastBytes = 32_768

    let tasks: [Task]

    init(_ shapes: [Shape], rows: Int, threads: Int) {
        let work = shapes.reduce(0) { $0 + $1.inputs * $1.panels * PackedMatrix.panelOutputs } * rows
        let isShared = threads > 1 && work >= Self.worthSharing
        let isFew = rows <= Self.rowsPerTask
        let rowsPerTask = isShared ? min(Self.rowsPerTask, rows) : rows
        var left = shapes.reduce(0) { $0 + $1.cachedPanelBytes * $1.panels }
        var tasks: [Task] = []
        for (index, shape) in shapes.enumerated() {
            var panel = 0
            while panel < shape.panels {
                // Few rows: panels are shared out, in long runs as memory likes it and then ever shorter ones, so that all
                // threads end together.
                let bytes =
                    isShared && isFew
                    ? min(Self.blockBytes, max(Self.lastBytes, left / (2 * threads))) : Self.blockBytes
                let end = min(panel + max(1, bytes / shape.cachedPanelBytes), shape.panels)
                left -= (end - panel) * shape.cachedPanelBytes
                // Rows run fastest, so that consecutive tasks share weights.
                for row in stride(from: 0, to: rows, by: rowsPerTask) {
                    tasks.append(
                        Task(product: index, rows: row..<min(row + rowsPerTask, rows), panels: panel..<end))
                }
                panel = end
            }
        }
        self.tasks = tasks
    }
}
