extension Checkpoint {
    /// A tensor as floats, whatever it is stored as: float64, float32, float16, bfloat16, a block type, or CTranslate2's
    /// int8 and int16, whose real values are stored / scale, with the scale in the companion `NAME_scale` (one per row, or
    /// one for all).
    /// - Parameter shape: what the caller expects, outermost axis first.
    /// - Returns: `shape`'s product of values, row-major.
    /// - Throws: `WeightsError.noSuchTensor`, `.wrongShape`, `.wrongType`, `.badScale`.
    package func floats(_ name: String, shape: [Int]) throws(WeightsError) -> [Float] {
        let entry = try required(name, shape)
        let values = try values(of: entry, elements: 0..<entry.count)
        return try unscaled(rowMajor(values, of: entry), of: entry, firstRow: 0)
    }

    /// Some rows of a tensor as floats; only their part of the file is touched. (A tensor that torch stored turned is read
    /// whole.)
    /// - Parameters:
    ///   - shape: what the caller expects, outermost axis first; not of a scalar.
    ///   - rows: of the outermost axis, within it.
    /// - Returns: [rows, the other axes], row-major.
    /// - Throws: as above.
    package func floats(_ name: String, shape: [Int], rows: Range<Int>) throws(WeightsError) -> [Float] {
        precondition(!shape.isEmpty && rows.lowerBound >= 0 && rows.upperBound <= shape[0], "\(rows) of \(shape)")
        let entry = try required(name, shape)
        guard entry.count > 0, !rows.isEmpty else { return [] }
        let rowElements = entry.count / shape[0]
        let elements = (rows.lowerBound * rowElements)..<(rows.upperBound * rowElements)
        if entry.isRowMajor {
            return try unscaled(values(of: entry, elements: elements), of: entry, firstRow: rows.lowerBound)
        }
        return Array(try floats(name, shape: shape)[elements])
    }

    private func required(_ name: String, _ shape: [Int]) throws(WeightsError) -> TensorEntry {
        let entry = try required(name)
        guard entry.shape == shape else { throw .wrongShape(name: name, found: entry.shape, expected: shape) }
        return entry
    }

    /// - Parameter elements: in the order of the file.
    private func values(of entry: TensorEntry, elements: Range<Int>) throws(WeightsError) -> [Float] {
        let type = entry.type
        guard let widen = type.widening else {
            throw .wrongType(name: entry.name, found: type, wanted: "floats, blocks of GGUF, int8 or int16")
        }
        guard !elements.isEmpty else { return [] }
        // Rows hold whole blocks, but for a vector of blocks, whose rows are single elements.
        let blocks = elements.lowerBound / type.blockElements..<(elements.upperBound - 1) / type.blockElements + 1
        let count = blocks.count * type.blockElements
        let values = withBytes(of: entry) { bytes in
            [Float](unsafeUninitializedCapacity: count) { values, initialized in
                widen(bytes.baseAddress! + blocks.lowerBound * type.blockBytes, blocks.count, values.baseAddress!)
                initialized = count
            }
        }
        if count == elements.count { return values }
        let before = elements.lowerBound - blocks.lowerBound * type.blockElements
        return Array(values[before..<before + elements.count])
    }

    /// Values in the order of the file as values in the order of the shape.
    private func rowMajor(_ stored: [Float], of entry: TensorEntry) -> [Float] {
        if entry.isRowMajor || stored.isEmpty { return stored }
        let shape = entry.shape
        var strides = [Int](repeating: 0, count: shape.count)  // in the file
        var distance = 1
        for axis in entry.axisOrder.reversed() {
            strides[axis] = distance
            distance *= shape[axis]
        }
        var index = [Int](repeating: 0, count: shape.count)
        var position = 0
        return [Float](unsafeUninitializedCapacity: stored.count) { values, initialized in
            for i in 0..<stored.count {
                values.initializeElement(at: i, to: stored[position])
                var axis = shape.count - 1
                while axis >= 0 {  // counts `index` up by one and moves `position` along
                    index[axis] += 1
                    position += strides[axis]
                    if index[axis] < shape[axis] { break }
                    position -= shape[axis] * strides[axis]
                    index[axis] = 0
                    axis -= 1
                }
            }
            initialized = stored.count
        }
    }

    /// - Parameter stored: rows of the tensor from `firstRow` on, which are divided by their scales if it has any.
    private func unscaled(_ stored: [Float], of entry: TensorEntry, firstRow: Int) throws(WeightsError) -> [Float] {
        guard entry.type == .int8 || entry.type == .int16 else { return stored }
        let name = entry.name + "_scale"
        guard let scaleEntry = self.entry(name) else { throw .badScale(name: name, what: "is missing") }
        guard scaleEntry.type != .int8, scaleEntry.type != .int16 else {
            throw .wrongType(name: name, found: scaleEntry.type, wanted: "floats")
        }
        let scales = try floats(name, shape: scaleEntry.shape)
        guard scales.count == 1 || scales.count == entry.shape.first, !scales.isEmpty || stored.isEmpty else {
            throw .badScale(name: name, what: "has \(scales.count) values for the shape \(entry.shape)")
        }
        guard scales.allSatisfy({ $0.isFinite && $0 != 0 }) else {
            throw .badScale(name: name, what: "holds a zero or no number")
        }
        guard !stored.isEmpty else { return stored }
        var real = stored
        let rowCount = entry.count / scales.count
        for (row, start) in stride(from: 0, to: real.count, by: rowCount).enumerated() {
            let scale = scales.count == 1 ? scales[0] : scales[firstRow + row]
            for index in start..<min(start + rowCount, real.count) { real[index] /= scale }
        }
        return real
    }
}
