import Media

/// What can be said of a frame by looking at its ends.
package enum FrameVerdict: Equatable, Sendable {
    /// The bytes of the picture, without what pads them.
    case whole(Range<Int>)
    case empty
    case damaged
}

/// Judges a frame as cheaply as it can be done on the capture thread. Garbage between its ends only the decoder sees.
package enum FrameCheck {
    /// Where a JPEG must have begun: some cameras put a header of their own before it.
    static let leadingBytes = 512
    /// Tables, a frame header and a scan header take as much: nothing shorter is a picture.
    static let shortestJPEG = 100

    /// A JPEG begins with SOI and a further marker, and ends with EOI but for padding. Huffman tables may be missing.
    package static func jpeg(_ bytes: RawSpan) -> FrameVerdict {
        let count = bytes.byteCount
        guard count > 0 else { return .empty }
        guard count >= shortestJPEG,
            let start = (0..<min(leadingBytes, count - 2)).first(where: {
                bytes[$0] == 0xff && bytes[$0 + 1] == 0xd8 && bytes[$0 + 2] == 0xff
            })
        else { return .damaged }
        var end = count
        // EOI cannot occur within a scan, where FF is always followed by 00 or a restart marker.
        while end >= start + shortestJPEG {
            if bytes[end - 1] == 0xd9, bytes[end - 2] == 0xff { return .whole(start..<end) }
            end -= 1
        }
        return .damaged
    }

    /// A raw picture has all its bytes; more are padding.
    package static func raw(_ bytes: RawSpan, frameBytes: Int) -> FrameVerdict {
        if bytes.byteCount == 0 { return .empty }
        return bytes.byteCount < frameBytes ? .damaged : .whole(0..<frameBytes)
    }
}

extension RawSpan {
    fileprivate subscript(offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
}
