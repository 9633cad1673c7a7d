import Media
import Testing

struct PCMConversionTests {
    @Test func `16-bit samples are scaled by 2^15`() {
        let samples = PCMConversion.samples([0x00, 0x80, 0xff, 0x7f, 0x01, 0x00, 0xff, 0xff], as: .s16)
        let expected: [Float] = [-1, 1 - 0x1p-15, 0x1p-15, -0x1p-15]
        #expect(samples == expected)
    }

    @Test(arguments: [UInt8(0x00), 0x7f, 0x80, 0xff])
    func `24 bits in 32 are sign-extended from bit 23 whatever the top byte holds`(top: UInt8) {
        let bytes: [UInt8] = [0x00, 0x00, 0x80, top, 0xff, 0xff, 0x7f, top, 0xff, 0xff, 0xff, top]
        let expected: [Float] = [-1, 1 - 0x1p-23, -0x1p-23]
        #expect(PCMConversion.samples(bytes, as: .s24) == expected)
    }

    @Test func `packed 24-bit samples take three bytes each`() {
        let bytes: [UInt8] = [0x00, 0x00, 0x80, 0xff, 0xff, 0x7f, 0x01, 0x00, 0x00]
        let expected: [Float] = [-1, 1 - 0x1p-23, 0x1p-23]
        #expect(PCMConversion.samples(bytes, as: .s24Packed) == expected)
    }

    @Test func `32-bit samples are scaled by 2^31`() {
        let bytes: [UInt8] = [0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x40]
        #expect(PCMConversion.samples(bytes, as: .s32) == [-1, 0.5])
    }

    @Test func `a 16-bit sample means the same in every wider integer format`() {
        for value in [Int16.min, -12_345, -1, 0, 1, 12_345, .max] {
            let low = UInt8(truncatingIfNeeded: value)
            let high = UInt8(truncatingIfNeeded: value >> 8)
            let narrow = PCMConversion.samples([low, high], as: .s16)
            #expect(PCMConversion.samples([0, low, high], as: .s24Packed) == narrow)
            #expect(PCMConversion.samples([0, low, high, 0xaa], as: .s24) == narrow)
            #expect(PCMConversion.samples([0, 0, low, high], as: .s32) == narrow)
        }
    }

    @Test func `floats that are not finite become silence and absurd ones are limited`() {
        let floats: [Float] = [0.25, -3, .nan, .infinity, -.infinity, .signalingNaN, 1e38, -1e38]
        let bytes = floats.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian) { Array($0) } }
        let expected: [Float] = [0.25, -3, 0, 0, 0, 0, PCMConversion.loudest, -PCMConversion.loudest]
        #expect(PCMConversion.samples(bytes, as: .float32) == expected)
    }

    @Test(arguments: SampleFormat.allCases)
    func `no bytes are no samples`(format: SampleFormat) {
        #expect(PCMConversion.samples([], as: format).isEmpty)
    }
}
