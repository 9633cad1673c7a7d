/// How one element is stored.
package enum ElementType: String, Sendable, CaseIterable {
    case float64, float32, float16, bfloat16
    case int64, int32, int16, int8
    case uint64, uint32, uint16, uint8, bool

    package var bytes: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .int8, .uint8, .bool: 1
        }
    }
}

/// Where one tensor lies in its file. Made only after every number was checked against the file's length.
package struct TensorEntry: Sendable, Equatable {
    package let name: String
    /// Outermost axis first; empty for a scalar.
    package let shape: [Int]
    package let type: ElementType
    /// Bytes from the beginning of the file; not aligned.
    package let byteRange: Range<Int>
    /// In which order the axes lie in the file, outermost first: 0, 1, 2... but for torch, which may store a tensor turned.
    package let axisOrder: [Int]

    package init(name: String, shape: [Int], type: ElementType, byteRange: Range<Int>, axisOrder: [Int]? = nil) {
        self.name = name
        self.shape = shape
        self.type = type
        self.byteRange = byteRange
        self.axisOrder = axisOrder ?? Array(shape.indices)
    }

    /// Number of elements.
    package var count: Int { byteRange.count / type.bytes }

    package var isRowMajor: Bool { axisOrder == Array(shape.indices) }
}

extension TensorEntry {
    /// More axes than any checkpoint has; a claim beyond it is damage.
    static let maxRank = 8

    /// Bytes of a tensor of that shape, or nil if the product does not fit an `Int`.
    static func byteCount(shape: [Int], type: ElementType) -> Int? {
        var bytes = type.bytes
        for dimension in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
            guard !overflow, dimension >= 0 else { return nil }
            bytes = product
        }
        return bytes
    }
}
