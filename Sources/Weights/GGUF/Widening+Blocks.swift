// One block of each of GGML's types as floats. d is the scale, m the minimum, q a stored number without a sign.

@inline(__always)
func widenQ8_0(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
    let d = half(block, 0)
    for part in 0..<2 {
        let q = block.loadUnaligned(fromByteOffset: 2 + 16 * part, as: SIMD16<Int8>.self)
        for i in 0..<16 { values[16 * part + i] = Float(q[i]) * d }
    }
}

/// Byte i holds element i in its low half and element i + 16 in its high half; so in all types of 32 elements.
@inline(__always)
func widenQ4_0(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
    let (d, q) = (half(block, 0), sixteen(block, 2))
    put(q & 15, minus: 8, times: d, values)
    put(q &>> 4, minus: 8, times: d, values + 16)
}

@inline(__always)
func widenQ4_1(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
    let (d, m, q) = (half(block, 0), half(block, 2), sixteen(block, 4))
    put(q & 15, times: d, plus: m, values)
    put(q &>> 4, times: d, plus: m, values + 16)
}

@inline(__always)
func widenQ5_0(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
    let (d, q) = (half(block, 0), sixteen(block, 6))
    put(q & 15 | fifths(block, 2), minus: 16, times: d, values)
    put(q &>> 4 | fifths(block, 4), minus: 16, times: d, values + 16)
}

@inline(__always)
func widenQ5_1(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
    let (d, m, q) = (half(block, 0), half(block, 2), sixteen(block, 8))
    put(q & 15 | fifths(block, 4), times: d, plus: m, values)
    put(q &>> 4 | fifths(block, 6), times: d, plus: m, values + 16)
}

/// Eight groups of 32: the low halves of 32 bytes, then their high halves.
@inline(__always)
func widenQ4_K(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
    let (d, m) = (half(block, 0), half(block, 2))
    for group in 0..<8 {
        let (scale, minimum) = scaleAndMinimum(block + 4, group)
        for part in 0..<2 {
            let bytes = sixteen(block, 16 + 32 * (group / 2) + 16 * part)
            let q = group % 2 == 0 ? bytes & 15 : bytes &>> 4
            put(q, times: d * scale, plus: -(m * minimum), values + 32 * group + 16 * part)
        }
    }
}

/// As Q4_K; the fifth bits of group g are bit g of 32 bytes.
@inline(__always)
func widenQ5_K(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
    let (d, m) = (half(block, 0), half(block, 2))
    for group in 0..<8 {
        let (scale, minimum) = scaleAndMinimum(block + 4, group)
        for part in 0..<2 {
            let bytes = sixteen(block, 48 + 32 * (group / 2) + 16 * part)
            let fifth = (sixteen(block, 16 + 16 * part) &>> SIMD16(repeating: UInt8(group)) & 1) &<< 4
            let q = (group % 2 == 0 ? bytes & 15 : bytes &>> 4) | fifth
            put(q, times: d * scale, plus: -(m * minimum), values + 32 * group + 16 * part)
        }
    }
}

/// Two halves of 128, each four groups of 32: the low halves of two times 32 bytes, then their high halves; the upper two
/// bits of group g are bits 2g and 2g + 1 of 32 bytes. A scale per 16 elements.
@inline(__always)
func widenQ6_K(_ block: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) {
    let d = half(block, 208)
    for sixteenth in 0..<16 {
        let (side, group, part) = (sixteenth / 8, sixteenth / 2 % 4, sixteenth % 2)
        let bytes = sixteen(block, 64 * side + 32 * (group % 2) + 16 * part)
        let high = sixteen(block, 128 + 32 * side + 16 * part) &>> SIMD16(repeating: UInt8(2 * group)) & 3
        let q = (group < 2 ? bytes & 15 : bytes &>> 4) | high &<< 4
        let scale = Float(block.loadUnaligned(fromByteOffset: 192 + sixteenth, as: Int8.self))
        put(q, minus: 32, times: d * scale, values + 16 * sixteenth)
    }
}

@inline(__always)
private func half(_ block: UnsafeRawPointer, _ offset: Int) -> Float {
    widenHalf(block.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
}

@inline(__always)
private func sixteen(_ block: UnsafeRawPointer, _ offset: Int) -> SIMD16<UInt8> {
    block.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
}

/// Sixteen bits, each as the fifth bit of a byte.
@inline(__always)
private func fifths(_ block: UnsafeRawPointer, _ offset: Int) -> SIMD16<UInt8> {
    @inline(__always)
    func spread(_ bits: UInt8) -> UInt64 {
        let apart = UInt64(bits) &* 0x0101_0101_0101_0101 & 0x8040_2010_0804_0201  // byte i keeps bit i
        return (apart &+ 0x7F7F_7F7F_7F7F_7F7F) &>> 3 & 0x1010_1010_1010_1010  // its top bit is now set if any was
    }
    let bits = block.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
    let (low, high) = (UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits &>> 8))
    return unsafeBitCast(SIMD2(spread(low), spread(high)), to: SIMD16<UInt8>.self)
}

/// Six bits each, of eight groups in twelve bytes: the first four whole in bytes 0-3 and 4-7, the others with their low
/// four bits in bytes 8-11 and their upper two atop the first ones.
@inline(__always)
private func scaleAndMinimum(_ bytes: UnsafeRawPointer, _ group: Int) -> (Float, Float) {
    func byte(_ index: Int) -> UInt8 { bytes.loadUnaligned(fromByteOffset: index, as: UInt8.self) }
    if group < 4 { return (Float(byte(group) & 63), Float(byte(group + 4) & 63)) }
    return (
        Float(byte(group + 4) & 15 | (byte(group - 4) &>> 6) &<< 4),
        Float(byte(group + 4) &>> 4 | (byte(group) &>> 6) &<< 4)
    )
}

/// (q − offset) · scale.
@inline(__always)
private func put(
    _ q: SIMD16<UInt8>, minus offset: Int32, times scale: Float, _ values: UnsafeMutablePointer<Float>
) {
    for i in 0..<16 { values[i] = scale * Float(Int32(q[i]) &- offset) }
}

/// q · scale + offset, rounded twice.
@inline(__always)
private func put(
    _ q: SIMD16<UInt8>, times scale: Float, plus offset: Float, _ values: UnsafeMutablePointer<Float>
) {
    for i in 0..<16 { values[i] = scale * Float(Int32(q[i])) + offset }
}
