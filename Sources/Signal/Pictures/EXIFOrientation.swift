package import Media

/// How the stored rows and columns of a picture are shown (EXIF 2.3, tag 0x0112).
package enum EXIFOrientation: Int, CaseIterable, Sendable {
    case upright = 1
    case mirrored
    case upsideDown
    case flipped
    case transposed
    /// Shown turned by 90° clockwise.
    case turnedRight
    case transversed
    /// Shown turned by 90° counterclockwise.
    case turnedLeft

    package var swapsSides: Bool { rawValue >= 5 }

    /// `stored` as it is shown, and also the reverse.
    package func shown(_ stored: PixelSize) -> PixelSize {
        swapsSides ? PixelSize(width: stored.height, height: stored.width) : stored
    }

    /// What the APP1 segment of a JPEG says; `upright` where there is none or it makes no sense.
    package init(ofJPEG jpeg: ArraySlice<UInt8>) {
        self = exifBlock(of: jpeg).flatMap(orientation(inTIFF:)) ?? .upright
    }
}

extension Picture {
    /// The picture as `orientation` says it is shown.
    package func oriented(_ orientation: EXIFOrientation) -> Picture {
        if orientation == .upright { return self }
        // Where the first shown pixel is stored, and the steps to the next one to its right and below, in pixels.
        let (right, down) = (width - 1, (height - 1) * width)
        let (first, stepX, stepY) =
            switch orientation {
            case .upright: (0, 1, width)
            case .mirrored: (right, -1, width)
            case .upsideDown: (right + down, -1, -width)
            case .flipped: (down, 1, -width)
            case .transposed: (0, width, 1)
            case .turnedRight: (down, -width, 1)
            case .transversed: (right + down, -width, -1)
            case .turnedLeft: (right, width, -1)
            }
        let shown = orientation.shown(PixelSize(width: width, height: height))
        let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, count in
            pixels.withUnsafeBufferPointer { source in
                var next = 0
                for y in 0..<shown.height {
                    var from = (first + y * stepY) * channels
                    for _ in 0..<shown.width {
                        for channel in 0..<channels { target[next + channel] = source[from + channel] }
                        next += channels
                        from += stepX * channels
                    }
                }
            }
            count = pixels.count
        }
        return Picture(width: shown.width, height: shown.height, channels: channels, pixels: turned)
    }
}

/// The TIFF structure in the first EXIF segment before the picture's data.
private func exifBlock(of jpeg: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let signature: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]  // "Exif", 0, 0
    var rest = jpeg.dropFirst(2)
    while let marker = nextMarker(in: &rest) {
        if marker == 0xDA || marker == 0xD9 { return nil }  // start of scan, end of image
        guard let length = integer(rest, at: 0, bytes: 2, bigEndian: true), length >= 2, rest.count >= length else {
            return nil
        }
        let segment = rest.prefix(length).dropFirst(2)
        if marker == 0xE1 && segment.starts(with: signature) { return segment.dropFirst(signature.count) }
        rest = rest.dropFirst(length)
    }
    return nil
}

/// The code after the next FF that opens a segment; fill bytes and, as in libjpeg, stray bytes are passed over.
private func nextMarker(in rest: inout ArraySlice<UInt8>) -> UInt8? {
    while let first = rest.firstIndex(of: 0xFF), let index = rest[first...].firstIndex(where: { $0 != 0xFF }) {
        let code = rest[index]
        rest = rest[(index + 1)...]
        let standsAlone = code <= 0x01 || (0xD0...0xD8).contains(code)  // stuffing, TEM, restarts, start of image
        if !standsAlone { return code }
    }
    return nil
}

/// Tag 0x0112 of the first directory.
private func orientation(inTIFF tiff: ArraySlice<UInt8>) -> EXIFOrientation? {
    let bigEndian: Bool
    switch tiff.prefix(4) {
    case [0x49, 0x49, 0x2A, 0x00]: bigEndian = false
    case [0x4D, 0x4D, 0x00, 0x2A]: bigEndian = true
    default: return nil
    }
    func read(at offset: Int, bytes: Int) -> Int? { integer(tiff, at: offset, bytes: bytes, bigEndian: bigEndian) }

    guard let directory = read(at: 4, bytes: 4), let entries = read(at: directory, bytes: 2) else { return nil }
    for index in 0..<entries {
        let entry = directory + 2 + 12 * index  // tag, type, count, value
        guard let tag = read(at: entry, bytes: 2) else { return nil }
        if tag != 0x0112 { continue }
        let isShort = read(at: entry + 2, bytes: 2) == 3
        return isShort ? read(at: entry + 8, bytes: 2).flatMap(EXIFOrientation.init(rawValue:)) : nil
    }
    return nil
}

/// An unsigned integer at `offset` from the slice's beginning; nil beyond its end.
private func integer(_ bytes: ArraySlice<UInt8>, at offset: Int, bytes count: Int, bigEndian: Bool) -> Int? {
    guard offset >= 0, offset + count <= bytes.count else { return nil }
    let field = bytes.dropFirst(offset).prefix(count)
    let digits = bigEndian ? Array(field) : field.reversed()
    return digits.reduce(0) { $0 << 8 | Int($1) }
}
