internal import CKernels

/// Quantised weights of a linear map, as they lie in a file: panels of 32 outputs.
///
/// y = x Wᵀ + b. N outputs, K inputs, K a multiple of 32. Integer sums are exact and floats are added in one order, so a row
/// of y depends on its row of x alone, bit for bit, whatever the partition, the company and the instruction set.
package final class QuantizedMatrix: Sendable {
    package static let panelOutputs = Int(CK_PANEL)
    /// What `bytes` must be aligned to.
    package static let alignment = 64

    package let format: QuantizedFormat
    package let inputs: Int
    package let outputs: Int
    private let bytes: ByteRegion
    private let bias: Tensor<Float>?  // [N]
    private let multiply: @convention(c) (UnsafePointer<ck_quantised_matmul>, ck_range, ck_range) -> Void

    /// - Parameters:
    ///   - format: `.q4`, `.q8` or `.q2`.
    ///   - bytes: `byteCount` of them, aligned; read where they lie.
    ///   - bias: [outputs], or none.
    package init(
        format: QuantizedFormat, outputs: Int, inputs: Int, bytes: ByteRegion, bias: [Float]? = nil,
        instructionSet: InstructionSet = .active
    ) {
        precondition(format.isQuantized, "\(format) is for rows")
        precondition(outputs >= 1 && QuantizedFormat.canStore(inputs: inputs), "[\(outputs), \(inputs)]")
        let expected = Self.byteCount(format: format, outputs: outputs, inputs: inputs)
        precondition(bytes.count == expected, "\(bytes.count) bytes for \(expected)")
        precondition(bytes.isAligned(to: Self.alignment), "weights that are not aligned")
        precondition(bias == nil || bias?.count == outputs, "\(bias?.count ?? 0) biases for \(outputs) outputs")
        (self.format, self.outputs, self.inputs, self.bytes) = (format, outputs, inputs, bytes)
        self.bias = bias.map { Tensor($0, shape: outputs) }
        bytes.adviseStreaming()
        let kernels = instructionSet.kernels.quantised
        multiply =
            switch format {
            case .q4: kernels.matmul_q4
            case .q2: kernels.matmul_q2
            default: kernels.matmul_q8
            }
    }

    package static func byteCount(format: QuantizedFormat, outputs: Int, inputs: Int) -> Int {
        (outputs + panelOutputs - 1) / panelOutputs * panelByteCount(format: format, inputs: inputs)
    }

    package static func panelByteCount(format: QuantizedFormat, inputs: Int) -> Int {
        ck_panel_bytes(format.code, inputs)
    }

    /// Quantises the next panel of a matrix: a converter holds 32 rows at a time.
    ///
    /// - Parameters:
    ///   - rows: [count, inputs] with 32 rows, fewer in the last panel. What is not finite counts as zero.
    ///   - panel: `panelByteCount` bytes.
    package static func packPanel(
        _ rows: Span<Float>, format: QuantizedFormat, inputs: Int, into panel: inout MutableRawSpan
    ) {
        precondition(format.isQuantized && QuantizedFormat.canStore(inputs: inputs), "\(format) of \(inputs)")
        precondition((1...panelOutputs * inputs).contains(rows.count) && rows.count % inputs == 0, "\(rows.count)")
        precondition(panel.byteCount == panelByteCount(format: format, inputs: inputs), "\(panel.byteCount) bytes")
        rows.withUnsafeBufferPointer { rows in
            panel.withUnsafeMutableBytes { panel in
                ck_pack_panel(format.code, rows.baseAddress!, rows.count / inputs, inputs, panel.baseAddress!)
            }
        }
    }

    /// Quantises weights [outputs, inputs] at once.
    package static func pack(_ weights: Span<Float>, format: QuantizedFormat, inputs: Int) -> ByteRegion {
        let outputs = weights.count / inputs
        let panelBytes = panelByteCount(format: format, inputs: inputs)
        return ByteRegion(byteCount: byteCount(format: format, outputs: outputs, inputs: inputs)) { bytes in
            for panel in 0..<bytes.byteCount / panelBytes {
                let rows = panel * panelOutputs..<min((panel + 1) * panelOutputs, outputs)
                var target = bytes._mutatingExtracting(panel * panelBytes..<(panel + 1) * panelBytes)
                packPanel(
                    weights.extracting(rows.lowerBound * inputs..<rows.upperBound * inputs), format: format,
                    inputs: inputs, into: &target)
            }
        }
    }

    package var panels: Int { (outputs + Self.panelOutputs - 1) / Self.panelOutputs }
    package var panelBytes: Int { Self.panelByteCount(format: format, inputs: inputs) }

    /// Computes `rows` of the outputs in `panels`.
    ///
    /// - Parameters:
    ///   - input: Holds `rows`.
    ///   - output: [M, N].
    ///   - adding: Adds to what `output` holds; only with `Activation.none`.
    package func multiply(
        _ input: QuantizedActivations, rows: Range<Int>, into output: Tensor<Float>, panels: Range<Int>,
        activation: Activation = .none, adding: Bool = false
    ) {
        precondition(input.inputs == inputs && output.columns == outputs, "\(input.inputs) × [\(outputs), \(inputs)]")
        precondition(rows.lowerBound >= 0 && rows.upperBound <= input.rows, "\(rows) of \(input.rows)")
        precondition(rows.upperBound * outputs <= output.count, "\(rows) into \(output.shape)")
        precondition(panels.lowerBound >= 0 && panels.upperBound <= self.panels, "\(panels) of \(self.panels)")
        precondition(!adding || activation == .none, "an activation would hit what was there before")
        if rows.isEmpty || panels.isEmpty { return }
        var job = ck_quantised_matmul(
            x: input.view, y: output.pointer, y_stride: outputs, outputs: outputs, panels: bytes.start,
            bias: bias?.pointer, activation: activation.code, adding: adding ? 1 : 0)
        multiply(&job, ck_range(rows), ck_range(panels))
    }

    /// How far apart neighbouring weights of an output are in 4 bits: the root mean square over its blocks; of `.q4` and `.q2`.
    package func steps() -> [Float] {
        precondition(format != .q8, "\(format) has no steps")
        var steps = [Float](repeating: 0, count: panels * Self.panelOutputs)
        steps.withUnsafeMutableBufferPointer { steps in
            for panel in 0..<panels {
                ck_panel_steps(
                    format.code, bytes.start + panel * panelBytes, inputs,
                    steps.baseAddress! + panel * Self.panelOutputs)
            }
        }
        return Array(steps.prefix(outputs))
    }

    /// The weights of one output, as they take part in products.
    /// - Parameter row: [inputs].
    package func copyWeights(ofOutput output: Int, into row: inout MutableSpan<Float>) {
        precondition((0..<outputs).contains(output) && row.count == inputs, "\(output) of \(outputs), \(row.count)")
        row.withUnsafeMutableBufferPointer {
            ck_copy_panel_row(format.code, bytes.start, inputs, output, $0.baseAddress!)
        }
    }
}
