import Media

/// A frame of a raw format whose bytes are known to hold what its size claims.
struct RawPicture {
    private let frame: VideoFrame
    private let width: Int
    private let height: Int

    /// - Throws: `SignalError.badPicture` where size, row length and bytes do not fit each other.
    init(_ frame: VideoFrame) throws(SignalError) {
        precondition(frame.format != .mjpeg, "a JPEG is not raw")
        let (width, height) = (frame.size.width, frame.size.height)
        let largestSide = 1 << 16  // so that no product below overflows
        guard (1...largestSide).contains(width), (1...largestSide).contains(height) else {
            throw .badPicture(reason: "a frame of \(frame.size) pixels in \(frame.format.rawValue) is empty or absurd")
        }
        let rowBytes =
            switch frame.format {
            case .yuyv: (width + 1) / 2 * 4
            case .rgb24: width * 3
            case .grey, .nv12, .mjpeg: width
            }
        guard (rowBytes...16 * largestSide).contains(frame.bytesPerRow) else {
            throw .badPicture(
                reason: "its rows of \(frame.bytesPerRow) bytes cannot hold \(width) pixels in \(frame.format.rawValue)"
            )
        }
        // The last row of a plane may lack the gap that the others have.
        var needed = (height - 1) * frame.bytesPerRow + rowBytes
        if frame.format == .nv12 {
            let chromaRow = RawPicture.chromaBytesPerRow(frame)
            needed = height * frame.bytesPerRow + ((height + 1) / 2 - 1) * chromaRow + (width + 1) / 2 * 2
        }
        guard frame.bytes.count >= needed else {
            throw .badPicture(
                reason: "\(frame.bytes.count) bytes are no frame of \(frame.size) pixels in \(frame.format.rawValue), "
                    + "which takes \(needed); it is cut off")
        }
        self.frame = frame
        self.width = width
        self.height = height
    }

    /// U and V come in pairs, so that an odd row length of Y is rounded up.
    private static func chromaBytesPerRow(_ frame: VideoFrame) -> Int { (frame.bytesPerRow + 1) / 2 * 2 }

    func rgb() -> Picture {
        make(channels: 3) { bytes, pixels in
            let row = frame.bytesPerRow
            switch frame.format {
            case .rgb24:
                for y in 0..<height {
                    for index in 0..<3 * width { pixels[3 * y * width + index] = bytes[y * row + index] }
                }
            case .grey, .mjpeg:
                for y in 0..<height {
                    for x in 0..<width {
                        let value = bytes[y * row + x]
                        let pixel = 3 * (y * width + x)
                        (pixels[pixel], pixels[pixel + 1], pixels[pixel + 2]) = (value, value, value)
                    }
                }
            case .yuyv:
                for y in 0..<height {
                    for x in 0..<width {
                        let pair = y * row + x / 2 * 4
                        write(
                            bytes[pair + x % 2 * 2], bytes[pair + 1], bytes[pair + 3],
                            to: pixels + 3 * (y * width + x))
                    }
                }
            case .nv12:
                let chromaRow = RawPicture.chromaBytesPerRow(frame)
                let chroma = bytes + height * row
                for y in 0..<height {
                    for x in 0..<width {
                        let pair = y / 2 * chromaRow + x / 2 * 2
                        write(
                            bytes[y * row + x], chroma[pair], chroma[pair + 1], to: pixels + 3 * (y * width + x))
                    }
                }
            }
        }
    }

    func luma() -> Picture {
        make(channels: 1) { bytes, pixels in
            for y in 0..<height {
                let row = bytes + y * frame.bytesPerRow
                let target = pixels + y * width
                switch frame.format {
                case .grey, .mjpeg: target.update(from: row, count: width)
                case .nv12: for x in 0..<width { target[x] = fullRange(Int32(row[x])) }
                case .yuyv: for x in 0..<width { target[x] = fullRange(Int32(row[2 * x])) }
                case .rgb24: for x in 0..<width { target[x] = brightness(row + 3 * x) }
                }
            }
        }
    }

    /// The means of boxes of 8 × 8 pixels; those at the right and lower edge are of what there is.
    func eighthLuma() -> Picture {
        let source = frame.format == .rgb24 ? luma() : nil
        let (bytes, rowBytes) = source.map { ($0.pixels, width) } ?? (frame.bytes, frame.bytesPerRow)
        let step = frame.format == .yuyv ? 2 : 1
        let isLimited = frame.format == .yuyv || frame.format == .nv12
        let (columns, rows) = ((width + 7) / 8, (height + 7) / 8)
        let used = (width - 1) * step + 1
        var means = [UInt8](repeating: 0, count: columns * rows)
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: used) { sums in
            bytes.withUnsafeBufferPointer { bytes in
                for row in 0..<rows {
                    // Whole rows first, chroma with them: the sum of 8 bytes fits, and the loop is one of vectors.
                    let lines = 8 * row..<min(8 * row + 8, height)
                    sums.initialize(repeating: 0)
                    for y in lines {
                        let line = bytes.baseAddress! + y * rowBytes
                        for x in 0..<used { sums[x] &+= UInt16(line[x]) }
                    }
                    for column in 0..<columns {
                        let pixels = 8 * column..<min(8 * column + 8, width)
                        var sum: Int32 = 0
                        for x in pixels { sum += Int32(sums[x * step]) }
                        let count = Int32(lines.count * pixels.count)
                        let mean = (sum + count / 2) / count
                        means[row * columns + column] = isLimited ? fullRange(mean) : UInt8(mean)
                    }
                }
            }
        }
        return Picture(width: columns, height: rows, channels: 1, pixels: means)
    }

    private func make(
        channels: Int, _ fill: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void
    ) -> Picture {
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * channels) { pixels, count in
            frame.bytes.withUnsafeBufferPointer { fill($0.baseAddress!, pixels.baseAddress!) }
            count = width * height * channels
        }
        return Picture(width: width, height: height, channels: channels, pixels: pixels)
    }
}

// BT.601 with 16 fraction bits; 2^16 × 255/219 = 76309 stretches 16...235 to 0...255.

private func fullRange(_ luma: Int32) -> UInt8 { UInt8(clamping: (76_309 * (luma - 16) + 32_768) >> 16) }

private func write(_ y: UInt8, _ u: UInt8, _ v: UInt8, to pixel: UnsafeMutablePointer<UInt8>) {
    let luma = 76_309 * (Int32(y) - 16) + 32_768
    let (blue, red) = (Int32(u) - 128, Int32(v) - 128)
    pixel[0] = UInt8(clamping: (luma + 104_597 * red) >> 16)
    pixel[1] = UInt8(clamping: (luma - 25_675 * blue - 53_279 * red) >> 16)
    pixel[2] = UInt8(clamping: (luma + 132_201 * blue) >> 16)
}

private func brightness(_ pixel: UnsafePointer<UInt8>) -> UInt8 {
    let (red, green, blue) = (UInt32(pixel[0]), UInt32(pixel[1]), UInt32(pixel[2]))
    let sum = 19_595 * red + 38_470 * green + 7_471 * blue
    return UInt8((sum + 32_768) >> 16)
}
