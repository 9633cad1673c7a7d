/// Turns stored blocks, which may begin at any byte, into as many floats as they hold.
typealias Widening = (_ stored: UnsafeRawPointer, _ blocks: Int, _ values: UnsafeMutablePointer<Float>) -> Void

extension ElementType {
    /// How it becomes floats; nil if it is no number of a network. Exact for elements that are stored one by one, but for
    /// float64, which is rounded. Blocks give the float32 products and sums of the format's definition, bit for bit.
    var widening: Widening? {
        switch self {
        case .float32: { each($0, $1, $2) { (bits: UInt32) in Float(bitPattern: bits) } }
        case .float64: { each($0, $1, $2) { (bits: UInt64) in Float(Double(bitPattern: bits)) } }
        case .float16: { each($0, $1, $2) { (bits: UInt16) in widenHalf(bits) } }
        case .bfloat16: { each($0, $1, $2) { (bits: UInt16) in Float(bitPattern: UInt32(bits) &<< 16) } }
        case .int8: { each($0, $1, $2) { (number: Int8) in Float(number) } }
        case .int16: { each($0, $1, $2) { (number: Int16) in Float(number) } }
        case .q8_0: { blocks($0, $1, $2, of: .q8_0, widenQ8_0) }
        case .q4_0: { blocks($0, $1, $2, of: .q4_0, widenQ4_0) }
        case .q4_1: { blocks($0, $1, $2, of: .q4_1, widenQ4_1) }
        case .q5_0: { blocks($0, $1, $2, of: .q5_0, widenQ5_0) }
        case .q5_1: { blocks($0, $1, $2, of: .q5_1, widenQ5_1) }
        case .q4_K: { blocks($0, $1, $2, of: .q4_K, widenQ4_K) }
        case .q5_K: { blocks($0, $1, $2, of: .q5_K, widenQ5_K) }
        case .q6_K: { blocks($0, $1, $2, of: .q6_K, widenQ6_K) }
        case .int64, .int32, .uint64, .uint32, .uint16, .uint8, .bool: nil
        }
    }
}

/// Inlined into each case above, so that every conversion becomes one vector loop.
@inline(__always)
private func each<Stored: BitwiseCopyable>(
    _ stored: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Float>, _ widen: (Stored) -> Float
) {
    for index in 0..<count {
        let value = stored.loadUnaligned(fromByteOffset: index &* MemoryLayout<Stored>.size, as: Stored.self)
        values[index] = widen(value)
    }
}

@inline(__always)
private func blocks(
    _ stored: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Float>, of type: ElementType,
    _ widen: (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void
) {
    let (bytes, elements) = (type.blockBytes, type.blockElements)
    for block in 0..<count { widen(stored + block &* bytes, values + block &* elements) }
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
