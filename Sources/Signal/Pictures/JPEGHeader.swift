import CShims
package import Media

/// What a JPEG says of itself before its pixels; reading it takes microseconds and no memory to speak of.
package struct JPEGHeader: Equatable, Sendable {
    /// Before `orientation` is applied.
    package let storedSize: PixelSize
    /// 1: gray; 3: colour; 4: CMYK.
    package let components: Int
    package let isProgressive: Bool
    package let orientation: EXIFOrientation

    /// As the picture is shown.
    package var shownSize: PixelSize { orientation.shown(storedSize) }

    /// Where the JPEG begins in the bytes; garbage may stand before it.
    let start: Int
    /// Blocks of 8 × 8 samples, of all components.
    let blocks: Int
    /// All coefficients are kept in memory until the last scan: 64 of 16 bits a block.
    let keepsCoefficients: Bool

    /// - Throws: `SignalError.badPicture` for bytes that are no JPEG or claim what their number cannot hold.
    package init(of bytes: [UInt8]) throws(SignalError) {
        guard let start = findJPEG(in: bytes) else {
            throw .badPicture(reason: "it is no JPEG (\(describeBeginning(of: bytes)))")
        }
        var header = cshim_jpeg_header()
        var report = cshim_jpeg_report()
        let status = bytes.withUnsafeBufferPointer { bytes in
            cshim_jpeg_read_header(bytes.baseAddress! + start, bytes.count - start, &header, &report)
        }
        if status != 0 { throw .badPicture(reason: report.text) }
        self.start = start
        storedSize = PixelSize(width: Int(header.width), height: Int(header.height))
        components = Int(header.components)
        isProgressive = header.is_progressive != 0
        blocks = Int(header.blocks)
        keepsCoefficients = header.in_scans != 0
        orientation = EXIFOrientation(ofJPEG: bytes[start...])

        // The shortest code has 1 bit. A block has one for its mean, and a baseline one for the end of the rest.
        let leastBytes = blocks * (isProgressive ? 1 : 2) / 8
        if bytes.count - start < leastBytes {
            throw .badPicture(
                reason:
                    "it claims \(storedSize) pixels, too many for its \(bytes.count) bytes; it is cut off or no picture"
            )
        }
    }
}

extension cshim_jpeg_report {
    /// The message of libjpeg as part of a sentence.
    var text: String {
        let text = withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return text.replacing("Corrupt JPEG data: ", with: "")
    }
}

/// The start marker: at the beginning, or near it and followed by another marker.
private func findJPEG(in bytes: [UInt8]) -> Int? {
    let garbageLimit = 4_096  // a header of a stream or a file system's slack, not a file of another kind
    if bytes.starts(with: [0xFF, 0xD8]) { return 0 }
    if KnownFile.allCases.contains(where: { $0.begins(bytes) }) { return nil }
    return bytes.indices.prefix(garbageLimit).first { index in
        index + 3 < bytes.count && bytes[index] == 0xFF && bytes[index + 1] == 0xD8 && bytes[index + 2] == 0xFF
            && bytes[index + 3] >= 0xC0
    }
}

/// Files that are often taken for a JPEG.
private enum KnownFile: String, CaseIterable {
    case png = "PNG"
    case gif = "GIF"
    case webP = "WebP"
    case heif = "HEIF or AVIF"
    case tiff = "TIFF"
    case pdf = "PDF"

    func begins(_ bytes: [UInt8]) -> Bool {
        func has(_ text: String, at offset: Int = 0) -> Bool { bytes.dropFirst(offset).starts(with: text.utf8) }
        return switch self {
        case .png: bytes.starts(with: [0x89]) && has("PNG", at: 1)
        case .gif: has("GIF8")
        case .webP: has("RIFF") && has("WEBP", at: 8)
        case .heif: has("ftyp", at: 4)
        case .tiff: has("II*\0") || has("MM\0*")
        case .pdf: has("%PDF")
        }
    }
}

/// `it begins with …`, so that a user knows which file was taken.
private func describeBeginning(of bytes: [UInt8]) -> String {
    if bytes.isEmpty { return "it is empty" }
    if let file = KnownFile.allCases.first(where: { $0.begins(bytes) }) { return "it is a \(file.rawValue) file" }
    let beginning = bytes.prefix(16)
    if beginning.allSatisfy({ (0x20..<0x7F).contains($0) || [0x09, 0x0A, 0x0D].contains($0) }) {
        let line = beginning.prefix { $0 >= 0x20 }
        return "it begins with the text '\(String(decoding: line, as: UTF8.self))'"
    }
    let digits = beginning.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return "it begins with the bytes \(digits.joined(separator: " "))"
}
