/// How the pixels of a captured picture lie in memory.
package enum PixelFormat: String, CaseIterable, Hashable, Sendable {
    /// A whole JPEG, with or without its Huffman tables.
    case mjpeg
    /// Y0 U Y1 V, 8 bits each: two pixels in four bytes.
    case yuyv
    /// A plane of Y, then one of interleaved U and V at half width and height.
    case nv12
    /// Y only, 8 bits.
    case grey
    /// R, G, B, 8 bits each.
    case rgb24
}

/// A picture as it was captured: compressed or raw bytes, decoded on demand by whoever looks at it.
package struct VideoFrame: Sendable {
    /// Stream time, from the driver's time stamp where there is one.
    package var time: MediaTime
    /// As negotiated with the source; a JPEG may say otherwise, and zero where only the JPEG knows.
    package var size: PixelSize
    package var format: PixelFormat
    /// Of raw formats: bytes from one row to the next (of the Y plane), ≥ what the width needs; 0 for mjpeg.
    package var bytesPerRow: Int
    package var bytes: [UInt8]

    package init(time: MediaTime, size: PixelSize, format: PixelFormat, bytesPerRow: Int, bytes: [UInt8]) {
        self.time = time
        self.size = size
        self.format = format
        self.bytesPerRow = bytesPerRow
        self.bytes = bytes
    }
}
