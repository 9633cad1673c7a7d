import Foundation

extension Checkpoint {
    /// A tensor as floats, whatever it is stored as: float32, float16, bfloat16, or CTranslate2's int8 and int16, whose
    /// real values are stored / scale, with the scale in the companion `NAME_scale` (one per row, or one for all).
    /// - Parameter shape: what the caller expects, outermost axis first.
    /// - Returns: `shape`'s product of values, row-major.
    /// - Throws: `WeightsError.noSuchTensor`, `.wrongShape`, `.wrongType`, `.badScale`.
    package func floats(_ name: String, shape: [Int]) throws(WeightsError) -> [Float] {
        try floats(name, shape: shape, quantisable: true)
    }

    private func floats(_ name: String, shape: [Int], quantisable: Bool) throws(WeightsError) -> [Float] {
        let entry = try required(name)
        guard entry.shape == shape else { throw .wrongShape(name: name, found: entry.shape, expected: shape) }
        switch entry.type {
        case .float32: return rowMajor(values(entry, as: UInt32.self) { Float(bitPattern: $0) }, of: entry)
        case .float16: return rowMajor(values(entry, as: UInt16.self, widenHalf), of: entry)
        case .bfloat16:
            return rowMajor(values(entry, as: UInt16.self) { Float(bitPattern: UInt32($0) &<< 16) }, of: entry)
        case .int8 where quantisable: return try unscaled(values(entry, as: Int8.self) { Float($0) }, of: entry)
        case .int16 where quantisable: return try unscaled(values(entry, as: Int16.self) { Float($0) }, of: entry)
        default: throw .wrongType(name: name, found: entry.type, wanted: "float32, float16, bfloat16, int8 or int16")
        }
    }

    /// Inlined into each case above, so that every conversion becomes one vector loop.
    @inline(__always)
    private func values<Stored: BitwiseCopyable>(
        _ entry: TensorEntry, as _: Stored.Type, _ widen: (Stored) -> Float
    ) -> [Float] {
        let count = entry.count
        guard count > 0 else { return [] }
        return data.withUnsafeBytes { file in
            let bytes = UnsafeRawBufferPointer(rebasing: file[entry.byteRange]).baseAddress!
            return [Float](unsafeUninitializedCapacity: count) { values, initialized in
                for index in 0..<count {
                    let stored = bytes.loadUnaligned(
                        fromByteOffset: index &* MemoryLayout<Stored>.size, as: Stored.self)
                    values.initializeElement(at: index, to: widen(stored))
                }
                initialized = count
            }
        }
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

    private func unscaled(_ stored: [Float], of entry: TensorEntry) throws(WeightsError) -> [Float] {
        let name = entry.name + "_scale"
        guard let scaleEntry = self.entry(name) else { throw .badScale(name: name, what: "is missing") }
        let scales = try floats(name, shape: scaleEntry.shape, quantisable: false)
        guard scales.count == 1 || scales.count == entry.shape.first, !scales.isEmpty || stored.isEmpty else {
            throw .badScale(name: name, what: "has \(scales.count) values for the shape \(entry.shape)")
        }
        guard scales.allSatisfy({ $0.isFinite && $0 != 0 }) else {
            throw .badScale(name: name, what: "holds a zero or no number")
        }
        guard !scales.isEmpty else { return stored }
        var real = stored
        let rowCount = real.count / scales.count
        for (row, scale) in scales.enumerated() {
            for index in (row * rowCount)..<((row + 1) * rowCount) { real[index] /= scale }
        }
        return real
    }
}

/// A half-precision number as a float, without a branch: the bits are moved to the float's exponent and mantissa and
/// the exponent is re-based by a multiplication with 2^112, which is right for subnormals too; infinities and NaN get
/// the float's own exponent. The loop around it becomes vector code of the baseline instruction set, where
/// `Float(Float16)` is a scalar conversion: 38 million values take 40 ms instead of 200.
@inline(__always)
func widenHalf(_ half: UInt16) -> Float {
    let magnitude = UInt32(half & 0x7FFF) &<< 13
    let sign = UInt32(half & 0x8000) &<< 16
    let special: UInt32 = magnitude >= 0x0F80_0000 ? 0x7F80_0000 : 0  // 0x7C00 << 13: the half's highest exponent
    let rebased = Float(bitPattern: magnitude) * Float(bitPattern: 0x7780_0000)  // 2^(127 − 15)
    return Float(bitPattern: rebased.bitPattern | special | sign)
}
