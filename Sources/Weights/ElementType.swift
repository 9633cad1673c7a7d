/// How the elements of a tensor are stored: one by one, or in blocks that share a scale, as in GGUF files.
package enum ElementType: String, Sendable, CaseIterable {
    case float64, float32, float16, bfloat16
    case int64, int32, int16, int8
    case uint64, uint32, uint16, uint8, bool
    case q8_0, q4_0, q4_1, q5_0, q5_1
    case q4_K, q5_K, q6_K

    /// Elements that are stored together; the innermost axis holds whole blocks.
    package var blockElements: Int {
        switch self {
        case .q8_0, .q4_0, .q4_1, .q5_0, .q5_1: 32
        case .q4_K, .q5_K, .q6_K: 256
        default: 1
        }
    }

    package var blockBytes: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .int8, .uint8, .bool: 1
        case .q8_0: 34  // scale 2, values 32
        case .q4_0: 18  // scale 2, halves of bytes 16
        case .q4_1: 20  // scale 2, minimum 2, halves of bytes 16
        case .q5_0: 22  // scale 2, fifth bits 4, halves of bytes 16
        case .q5_1: 24  // scale 2, minimum 2, fifth bits 4, halves of bytes 16
        case .q4_K: 144  // scale 2, minimum 2, scales and minima 12, halves of bytes 128
        case .q5_K: 176  // as before, fifth bits 32
        case .q6_K: 210  // low bits 128, high bits 64, scales 16, scale 2
        }
    }

    package var isBlock: Bool { blockElements > 1 }

    /// Bytes of a tensor of that shape, or nil if a dimension is negative, the innermost does not hold whole blocks, or
    /// the product does not fit an `Int`.
    package func byteCount(shape: [Int]) -> Int? {
        guard (shape.last ?? 1) % blockElements == 0 else { return nil }
        var blocks = 1
        for (axis, dimension) in shape.enumerated() {
            let extent = axis == shape.count - 1 ? dimension / blockElements : dimension
            let (product, overflow) = blocks.multipliedReportingOverflow(by: extent)
            guard !overflow, dimension >= 0 else { return nil }
            blocks = product
        }
        let (bytes, overflow) = blocks.multipliedReportingOverflow(by: blockBytes)
        return overflow ? nil : bytes
    }
}
