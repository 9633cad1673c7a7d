import Foundation
package import Media
package import Signal

/// A frame as a JPEG that any viewer opens: upright, with its Huffman tables, and of a bounded size.
///
/// A camera's own JPEG goes out as it is where that holds already; else it is decoded, scaled down and made anew.
package struct Snapshot: Sendable {
    package let jpeg: [UInt8]
    package let size: PixelSize

    package var base64: String { Data(jpeg).base64EncodedString() }

    /// Below it there is nothing to see.
    package static let smallestWidth = 16
    /// More pixels than this do not fit into the limit of a line at a quality worth looking at.
    private static let longestSide = 1_280

    /// - Parameter maxWidth: pixels of the picture as shown; nil: as wide as it fits.
    /// - Parameter base64Limit: characters of `base64`; at least a few thousand.
    /// - Throws: `SignalError` for a frame that cannot be decoded.
    package init(of frame: VideoFrame, maxWidth: Int?, base64Limit: Int) throws(SignalError) {
        let limitBytes = base64Limit / 4 * 3
        var whole = frame.size
        var isGray = frame.format == .grey
        if frame.format == .mjpeg {
            let header = try JPEGHeader(of: frame.bytes)
            whole = header.shownSize
            isGray = header.components == 1
            if header.orientation == .upright, header.components != 4, whole.width <= maxWidth ?? .max,
                let bytes = JPEGExtent(of: frame.bytes).map({ frame.bytes[$0.range] }), bytes.count <= limitBytes
            {
                (jpeg, size) = (Array(bytes), whole)
                return
            }
        }

        let scale = min(
            1, Double(maxWidth ?? .max) / Double(whole.width),
            Double(Self.longestSide) / Double(max(whole.width, whole.height)))
        var wanted = whole.scaled(by: scale)
        let decoded = try PictureDecoder().decode(frame, as: isGray ? .luma : .rgb, atLeast: wanted).picture
        var bytes = JPEGEncoder.encode(decoded.resized(to: wanted), quality: 85)
        if bytes.count > limitBytes { bytes = JPEGEncoder.encode(decoded.resized(to: wanted), quality: 70) }
        // Bytes grow a little slower than pixels do.
        while bytes.count > limitBytes, wanted.pixels > 1 {
            wanted = wanted.scaled(by: min(0.9, 0.97 * (Double(limitBytes) / Double(bytes.count)).squareRoot()))
            bytes = JPEGEncoder.encode(decoded.resized(to: wanted), quality: 70)
        }
        (jpeg, size) = (bytes, wanted)
    }
}

extension PixelSize {
    fileprivate func scaled(by factor: Double) -> PixelSize {
        PixelSize(
            width: max(1, Int((Double(width) * factor).rounded(.down))),
            height: max(1, Int((Double(height) * factor).rounded(.down))))
    }
}

/// Where a Huffman-coded JPEG that brings its own tables begins and ends, found by its markers alone.
struct JPEGExtent {
    let range: Range<Int>

    /// nil for one without tables, one that is cut, and one of a kind that viewers do not know.
    init?(of bytes: [UInt8]) {
        guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
        var position = 2
        var hasTables = false
        var isScanned = false
        while position + 1 < bytes.count {
            guard bytes[position] == 0xFF else {
                // Within a scan: coded data, to the next marker. Elsewhere: garbage, which not every viewer takes.
                guard isScanned else { return nil }
                position += 1
                continue
            }
            let marker = bytes[position + 1]
            switch marker {
            case 0xFF: position += 1  // fill
            case 0x00, 0xD0...0xD7: position += 2  // a stuffed byte, a restart
            case 0xD9:
                guard hasTables, isScanned else { return nil }
                range = 0..<position + 2
                return
            case 0xD8, 0xC3, 0xC5...0xC7, 0xC8...0xCB, 0xCD...0xCF: return nil
            default:
                guard position + 3 < bytes.count else { return nil }
                if marker == 0xC4 { hasTables = true }
                if marker == 0xDA { isScanned = true }
                position += 2 + max(2, Int(bytes[position + 2]) << 8 | Int(bytes[position + 3]))
            }
        }
        return nil
    }
}
