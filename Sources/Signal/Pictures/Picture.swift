/// Decoded pixels, 8 bits a channel, the top row first, without gaps.
package struct Picture: Equatable, Sendable {
    package let width: Int
    package let height: Int
    /// 3: R, G, B; 1: luma.
    package let channels: Int
    /// [height × width × channels]
    package var pixels: [UInt8]

    package init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        precondition(
            width > 0 && height > 0 && (channels == 1 || channels == 3) && pixels.count == width * height * channels,
            "\(width) x \(height) x \(channels), \(pixels.count) bytes")
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }
}
