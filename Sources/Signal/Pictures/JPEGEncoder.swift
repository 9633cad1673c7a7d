import CShims

/// Makes JPEGs: baseline, 4:2:0, which every program reads.
package enum JPEGEncoder {
    /// - Parameter picture: at most 65 500 pixels on a side.
    /// - Parameter quality: 1...100, as everywhere with libjpeg.
    package static func encode(_ picture: Picture, quality: Int) -> [UInt8] {
        precondition((1...100).contains(quality), "quality \(quality)")
        // Noise at quality 100 stays below the bytes of the whole blocks; 4 KiB are for the header.
        let (columns, rows) = ((picture.width + 15) / 16, (picture.height + 15) / 16)
        let capacity = columns * rows * 16 * 16 * 3 + 4_096
        var report = cshim_jpeg_report()
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { bytes, count in
            let written = picture.pixels.withUnsafeBufferPointer { pixels in
                cshim_jpeg_encode(
                    pixels.baseAddress!, Int32(picture.width), Int32(picture.height), Int32(picture.channels),
                    Int32(quality), bytes.baseAddress!, capacity, &report)
            }
            count = max(0, Int(written))
        }
        precondition(!bytes.isEmpty, "\(picture.width) x \(picture.height): \(report.text)")
        return Array(bytes[...])
    }
}
