package import Kernels

/// How the matrices of a Gemma are kept in memory.
package enum GemmaWeightFormat: String, CaseIterable, Sendable {
    case q4, q8, f32

    /// Of the text model; the encoders have 8 bits where it has 4.
    package var quantized: QuantizedFormat? {
        switch self {
        case .q4: .q4
        case .q8: .q8
        case .f32: nil
        }
    }
}
