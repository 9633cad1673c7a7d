/// Where one tensor lies in its file. Made only after every number was checked against the file's length.
package struct TensorEntry: Sendable, Equatable {
    package let name: String
    /// Outermost axis first; empty for a scalar.
    package let shape: [Int]
    package let type: ElementType
    /// Which of `Checkpoint.files` holds it.
    package let file: Int
    /// Bytes from the beginning of the file; aligned in GGUF files only.
    package let byteRange: Range<Int>
    /// In which order the axes lie in the file, outermost first: 0, 1, 2... but for torch, which may store a tensor turned.
    package let axisOrder: [Int]

    package init(
        name: String, shape: [Int], type: ElementType, file: Int = 0, byteRange: Range<Int>, axisOrder: [Int]? = nil
    ) {
        self.name = name
        self.shape = shape
        self.type = type
        self.file = file
        self.byteRange = byteRange
        self.axisOrder = axisOrder ?? Array(shape.indices)
    }

    /// Number of elements.
    package var count: Int { byteRange.count / type.blockBytes * type.blockElements }

    package var isRowMajor: Bool { axisOrder == Array(shape.indices) }

    /// More axes than any checkpoint has; a claim beyond it is damage.
    static let maxRank = 8
}
