internal import CKernels

/// How weights are kept for multiplication.
package enum Precision: String, Sendable {
    case float32
    /// Weights in -127...127 with one scale per output; inputs are quantised row by row on the way in.
    case int8
}

/// What is applied to the outputs of a product.
package enum Activation: Sendable {
    case none
    /// x·Φ(x), the exact form.
    case gelu
    case relu
    /// min(max(x, 0), 6)
    case relu6
    case sigmoid
    /// x · sigmoid(x)
    case silu

    var code: CInt {
        switch self {
        case .none: CInt(CK_NONE)
        case .gelu: CInt(CK_GELU)
        case .relu: CInt(CK_RELU)
        case .relu6: CInt(CK_RELU6)
        case .sigmoid: CInt(CK_SIGMOID)
        case .silu: CInt(CK_SILU)
        }
    }
}

/// Weights of a linear map in the order in which the kernels read them: panels of 32 outputs.
///
/// y = x Wᵀ + b. N outputs, K inputs. A row of y depends on its row of x alone, bit for bit, so rows and panels can be
/// computed in any partition and in any company.
package final class PackedMatrix: Sendable {
    package static let panelOutputs = Int(CK_PANEL)

    package let inputs: Int
    package let outputs: Int
    package let precision: Precision
    private let instructionSet: InstructionSet
    private let multiply: @convention(c) (UnsafePointer<ck_matmul>, ck_range, ck_range) -> Void
    private let floats: Tensor<Float>?  // [panels, K, 32]
    private let integers: Tensor<Int8>?  // [panels, ceil(K/4), 32, 4]
    private let scales: Tensor<Float>?  // [panels · 32]
    private let sums: Tensor<Int32>?  // [panels · 32]
    private let bias: Tensor<Float>?  // [panels · 32]

    /// - Parameters:
    ///   - weights: [N, K] row-major, finite.
    ///   - bias: [N], or none.
    package init(
        weights: [Float], bias: [Float]?, outputs: Int, inputs: Int, precision: Precision,
        instructionSet: InstructionSet = .active
    ) {
        precondition(weights.count == outputs * inputs, "\(weights.count) weights for [\(outputs), \(inputs)]")
        precondition(bias == nil || bias?.count == outputs, "\(bias?.count ?? 0) biases for \(outputs) outputs")
        precondition(outputs >= 1 && (1...Int(CK_MAX_INPUTS)).contains(inputs), "[\(outputs), \(inputs)]")
        self.inputs = inputs
        self.outputs = outputs
        self.precision = precision
        self.instructionSet = instructionSet
        let panels = (outputs + Self.panelOutputs - 1) / Self.panelOutputs
        let padded = panels * Self.panelOutputs
        self.bias = bias.map { values in
            let tensor = Tensor<Float>(padded, filledWith: 0)
            for (i, value) in values.enumerated() { tensor.pointer[i] = value }
            return tensor
        }
        switch precision {
        case .float32:
            let packed = Tensor<Float>(panels, inputs, Self.panelOutputs, filledWith: 0)
            ck_pack_f32(weights, outputs, inputs, packed.pointer)
            multiply = instructionSet.kernels.matmul_f32
            (floats, integers, scales, sums) = (packed, nil, nil, nil)
        case .int8:
            let groups = (inputs + Int(CK_GROUP) - 1) / Int(CK_GROUP)
            let packed = Tensor<Int8>(panels, groups, Self.panelOutputs, Int(CK_GROUP), filledWith: 0)
            let scales = Tensor<Float>(padded, filledWith: 0)
            let sums = Tensor<Int32>(padded, filledWith: 0)
            ck_pack_s8(weights, outputs, inputs, packed.pointer, scales.pointer, sums.pointer)
            multiply = instructionSet.kernels.matmul_s8
            (floats, integers, self.scales, self.sums) = (nil, packed, scales, sums)
        }
    }

    package var panels: Int { (outputs + Self.panelOutputs - 1) / Self.panelOutputs }

    /// Bytes of weights in one panel: what a cache has to hold to use it twice.
    package var panelBytes: Int { Self.panelOutputs * inputs * (precision == .int8 ? 1 : MemoryLayout<Float>.size) }

    /// Computes `rows` of the outputs in `panels`.
    ///
    /// - Parameters:
    ///   - input: [M, K].
    ///   - output: [M, N]; not `input`.
    ///   - adding: Adds to what `output` holds; only with `Activation.none`.
    package func multiply(
        _ input: Tensor<Float>, rows: Range<Int>, into output: Tensor<Float>, panels: Range<Int>,
        activation: Activation = .none, adding: Bool = false
    ) {
        precondition(input.columns == inputs && output.columns == outputs, "\(input.shape) × [\(outputs), \(inputs)]")
        precondition(rows.lowerBound >= 0 && rows.upperBound * inputs <= input.count, "\(rows) of \(input.shape)")
        precondition(rows.upperBound * outputs <= output.count, "\(rows) into \(output.shape)")
        precondition(panels.lowerBound >= 0 && panels.upperBound <= self.panels, "\(panels) of \(self.panels)")
        precondition(!adding || activation == .none, "an activation would hit what was there before")
        if rows.isEmpty || panels.isEmpty { return }
        let weights: UnsafeRawPointer =
            if let floats { UnsafeRawPointer(floats.pointer) } else { UnsafeRawPointer(integers!.pointer) }
        var job = ck_matmul(
            x: input.pointer, x_stride: inputs, y: output.pointer, y_stride: outputs, inputs: inputs, outputs: outputs,
            weights: weights, bias: bias?.pointer, scales: scales?.pointer, sums: sums?.pointer,
            activation: activation.code, adding: adding ? 1 : 0)
        multiply(&job, ck_range(rows), ck_range(panels))
    }

    /// The weights of one output as they take part in products: int8 ones come back dequantised.
    ///
    /// A decoder's output matrix is also its table of token embeddings.
    /// - Parameter row: [K].
    package func copyWeights(ofOutput output: Int, into row: inout MutableSpan<Float>) {
        precondition((0..<outputs).contains(output) && row.count == inputs, "\(output) of \(outputs), \(row.count)")
        let (panel, column) = (output / Self.panelOutputs, output % Self.panelOutputs)
        if let floats {
            let first = floats.pointer + panel * inputs * Self.panelOutputs + column
            for k in 0..<inputs { row[k] = first[k * Self.panelOutputs] }
        } else if let integers, let scales {
            let group = Int(CK_GROUP)
            let groups = (inputs + group - 1) / group
            let first = integers.pointer + (panel * groups * Self.panelOutputs + column) * group
            let scale = scales.pointer[output]
            for k in 0..<inputs { row[k] = Float(first[k / group * Self.panelOutputs * group + k % group]) * scale }
        }
    }
}

extension ck_range {
    init(_ range: Range<Int>) { self.init(begin: range.lowerBound, end: range.upperBound) }
}
