internal import CKernels

/// How the weights of a matrix or table are stored; `ck_quantised.h` has the layouts.
package enum QuantizedFormat: String, CaseIterable, Sendable {
    /// 4 bits, step and zero per 32 inputs, scale per 256: 4.31 bits a weight.
    case q4
    /// 8 bits, scale per 256 inputs: 8.06 bits a weight.
    case q8
    /// The upper half of q4's: about how large a product is. 2.31 bits a weight. Matrices only.
    case q2
    /// Rows only.
    case bfloat16
    /// Rows only.
    case float32

    /// Whether a product quantises its inputs.
    package var isQuantized: Bool { self == .q4 || self == .q8 || self == .q2 }
    /// Whether there are tables of it.
    package var hasRows: Bool { self != .q2 }

    /// Inputs (columns) come in blocks of this many.
    package static let blockInputs = Int(CK_BLOCK)
    /// Columns that can be gathered on their own.
    package static let spanInputs = Int(CK_SPAN)
    /// The longest row.
    package static let maxInputs = Int(CK_MAX_QUANTISED_INPUTS)

    /// Whether rows of this length can be stored: whole blocks, and not too many.
    package static func canStore(inputs: Int) -> Bool {
        inputs >= blockInputs && inputs <= maxInputs && inputs % blockInputs == 0
    }

    var code: CInt {
        switch self {
        case .q4: CInt(CK_Q4)
        case .q8: CInt(CK_Q8)
        case .q2: CInt(CK_Q2)
        case .bfloat16: CInt(CK_BF16)
        case .float32: CInt(CK_F32)
        }
    }
}

/// Rows of activations rounded to 8 bits, one scale per 256 of them: what quantised products read.
///
/// Made once, quantised into again and again: by one thread at a time, or by several in rows that do not overlap. A span
/// with a number that is not finite makes every product of its row NaN.
package final class QuantizedActivations: Sendable {
    /// Most rows it holds.
    package let rows: Int
    package let inputs: Int
    let stride: Int
    private let memory: Tensor<UInt8>  // [rows, stride]

    package init(rows: Int, inputs: Int) {
        precondition(rows >= 1 && QuantizedFormat.canStore(inputs: inputs), "\(rows) rows of \(inputs)")
        (self.rows, self.inputs) = (rows, inputs)
        stride = ck_quantised_stride(inputs)
        memory = Tensor(rows, stride, filledWith: 0)
    }

    /// Rounds `rows` of `input` to the same rows here.
    /// - Parameter input: [≥ rows, inputs].
    package func quantize(_ input: Tensor<Float>, rows: Range<Int>, on instructionSet: InstructionSet = .active) {
        precondition(input.columns == inputs && rows.upperBound * inputs <= input.count, "\(rows) of \(input.shape)")
        precondition(rows.lowerBound >= 0 && rows.upperBound <= self.rows, "\(rows) of \(self.rows)")
        if rows.isEmpty { return }
        var target = view
        instructionSet.kernels.quantised.quantise(input.pointer, inputs, &target, ck_range(rows))
    }

    var view: ck_quantised_inputs { ck_quantised_inputs(rows: memory.pointer, stride: stride, inputs: inputs) }
}
