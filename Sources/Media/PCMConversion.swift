/// Bytes of any `SampleFormat` to Float.
package enum PCMConversion {
    /// Louder than any recording, quiet enough that squares and sums of thousands of samples stay finite.
    package static let loudest: Float = 65_536

    /// What a sample from outside may be: not a number and the infinities become 0, the absurd is limited to `loudest`.
    package static func bounded(_ sample: Float) -> Float {
        sample.isFinite ? min(max(sample, -loudest), loudest) : 0
    }

    /// Appends the samples in `bytes` to `samples`: integers scaled by 2^15, 2^23 or 2^31, floats bounded.
    /// - Parameter bytes: a whole number of samples, little-endian.
    package static func append(_ bytes: RawSpan, as format: SampleFormat, to samples: inout [Float]) {
        let size = format.bytesPerSample
        precondition(bytes.byteCount % size == 0, "\(bytes.byteCount) bytes of \(format.rawValue)")
        samples.reserveCapacity(samples.count + bytes.byteCount / size)
        bytes.withUnsafeBytes { raw in
            for offset in stride(from: 0, to: raw.count, by: size) {
                samples.append(sample(raw, at: offset, format))
            }
        }
    }

    /// The samples in `bytes`.
    package static func samples(_ bytes: [UInt8], as format: SampleFormat) -> [Float] {
        var samples: [Float] = []
        append(bytes.span.bytes, as: format, to: &samples)
        return samples
    }

    @inline(__always)
    private static func sample(_ raw: UnsafeRawBufferPointer, at offset: Int, _ format: SampleFormat) -> Float {
        switch format {
        case .s16:
            return Float(Int16(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: Int16.self))) * 0x1p-15
        case .s24:
            // Sign-extended from bit 23: the top byte is undefined.
            let word = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            return Float(Int32(bitPattern: word << 8) >> 8) * 0x1p-23
        case .s24Packed:
            let low = UInt32(raw[offset]) << 8 | UInt32(raw[offset + 1]) << 16
            return Float(Int32(bitPattern: low | UInt32(raw[offset + 2]) << 24) >> 8) * 0x1p-23
        case .s32:
            return Float(Int32(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: Int32.self))) * 0x1p-31
        case .float32:
            let bits = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            return bounded(Float(bitPattern: bits))
        }
    }
}
