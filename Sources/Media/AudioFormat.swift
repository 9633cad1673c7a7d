/// How one sample lies in memory; all little-endian.
package enum SampleFormat: String, CaseIterable, Hashable, Sendable {
    case s16 = "s16le"
    /// 24 bits in the low bytes of 32; the top byte is undefined.
    case s24 = "s24le"
    /// 24 bits packed in three bytes.
    case s24Packed = "s24_3le"
    case s32 = "s32le"
    case float32 = "f32le"

    package var bytesPerSample: Int {
        switch self {
        case .s16: 2
        case .s24Packed: 3
        case .s24, .s32, .float32: 4
        }
    }
}

/// Rate, channel count and sample layout of interleaved PCM.
package struct AudioFormat: Hashable, Sendable {
    package var rateHz: Int
    package var channels: Int
    package var sampleFormat: SampleFormat

    package init(rateHz: Int, channels: Int, sampleFormat: SampleFormat) {
        self.rateHz = rateHz
        self.channels = channels
        self.sampleFormat = sampleFormat
    }

    package var bytesPerFrame: Int { channels * sampleFormat.bytesPerSample }
}

extension AudioFormat: CustomStringConvertible {
    package var description: String { "\(sampleFormat.rawValue), \(rateHz) Hz, \(channels) ch" }
}
