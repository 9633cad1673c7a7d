package import Media

/// The kernel of `Picture.resized(to:_:)`; both widen with the ratio when a picture shrinks (antialias).
package enum ResizeFilter: CaseIterable, Sendable {
    /// A triangle of support 1.
    case bilinear
    /// Keys 1981 with a = −0.5, support 2.
    case bicubic

    var support: Double {
        switch self {
        case .bilinear: 1
        case .bicubic: 2
        }
    }

    func callAsFunction(_ x: Double) -> Double {
        let x = abs(x)
        switch self {
        case .bilinear: return x < 1 ? 1 - x : 0
        case .bicubic:
            let a = -0.5
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
        }
    }
}

/// Whose bytes a resize gives: both multiply by whole numbers, and differ by 1 in a thousandth of the bytes.
package enum ResizeArithmetic: CaseIterable, Sendable {
    /// Weights below 2^15: torch on bytes, which Gemma's pictures come from.
    case torch
    /// Weights of 22 bits: Pillow, which the pictures of torchvision's transforms come from.
    case pillow
}

extension Picture {
    package var size: PixelSize { PixelSize(width: width, height: height) }

    /// The picture stretched to `size`, both sides > 0; the horizontal pass comes first, with bytes between the passes,
    /// and a side that keeps its length has no pass.
    package func resized(
        to size: PixelSize, _ filter: ResizeFilter = .bilinear, as arithmetic: ResizeArithmetic = .torch
    ) -> Picture {
        precondition(size.width > 0 && size.height > 0, "to \(size)")
        var picture = self
        if size.width != width {
            picture = picture.stretched(horizontally: ResizeTaps(from: width, to: size.width, filter, arithmetic))
        }
        if size.height != height {
            picture = picture.stretched(vertically: ResizeTaps(from: height, to: size.height, filter, arithmetic))
        }
        return picture
    }

    /// The middle of the picture; a side longer than the picture's is cut to it. An odd rest leaves the smaller half
    /// left and above.
    package func centreCropped(to size: PixelSize) -> Picture {
        let (columns, rows) = (min(size.width, width), min(size.height, height))
        let (left, top) = ((width - columns) / 2, (height - rows) / 2)
        var cropped: [UInt8] = []
        cropped.reserveCapacity(columns * rows * channels)
        for row in top..<top + rows {
            let start = (row * width + left) * channels
            cropped += pixels[start..<start + columns * channels]
        }
        return Picture(width: columns, height: rows, channels: channels, pixels: cropped)
    }

    private func stretched(horizontally taps: ResizeTaps) -> Picture {
        let targetWidth = taps.count
        let stretched = [UInt8](unsafeUninitializedCapacity: targetWidth * height * channels) { target, count in
            pixels.withUnsafeBufferPointer { source in
                for y in 0..<height {
                    let row = source.baseAddress! + y * width * channels
                    let out = target.baseAddress! + y * targetWidth * channels
                    if channels == 3 { taps.applyToRGB(row, out) } else { taps.apply(row, out) }
                }
            }
            count = targetWidth * height * channels
        }
        return Picture(width: targetWidth, height: height, channels: channels, pixels: stretched)
    }

    private func stretched(vertically taps: ResizeTaps) -> Picture {
        let rowBytes = width * channels
        let stretched = [UInt8](unsafeUninitializedCapacity: rowBytes * taps.count) { target, count in
            pixels.withUnsafeBufferPointer { source in
                for y in 0..<taps.count {
                    taps.sumRows(y, source.baseAddress!, rowBytes: rowBytes, target.baseAddress! + y * rowBytes)
                }
            }
            count = rowBytes * taps.count
        }
        return Picture(width: width, height: taps.count, channels: channels, pixels: stretched)
    }
}
