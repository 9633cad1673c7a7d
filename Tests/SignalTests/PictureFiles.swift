import Foundation
import Media
import Signal
import TestSupport

/// A frame that is a JPEG, as a file or a camera gives it.
func jpegFrame(_ bytes: [UInt8]) -> VideoFrame {
    VideoFrame(time: .zero, size: PixelSize(width: 0, height: 0), format: .mjpeg, bytesPerRow: 0, bytes: bytes)
}

func bytes(at file: URL) throws -> [UInt8] { [UInt8](try Data(contentsOf: file)) }

/// A JPEG of `Golden/Pictures/`.
func goldenJPEG(_ name: String) throws -> [UInt8] { try bytes(at: golden("Pictures/\(name).jpg")) }

/// A file of the shared pictures, or nil where they are not there.
func sharedPicture(_ path: String) -> [UInt8]? {
    RealData.shared("images/\(path)").flatMap { try? bytes(at: URL(filePath: $0)) }
}

let hasSharedPictures = RealData.shared("images") != nil

/// Seeded noise.
func noise(_ width: Int, _ height: Int, channels: Int, seed: UInt64) -> Picture {
    var random = SplitMix64(seed: seed)
    let pixels = (0..<width * height * channels).map { _ in UInt8(truncatingIfNeeded: random.next() >> 56) }
    return Picture(width: width, height: height, channels: channels, pixels: pixels)
}

/// The largest difference of two pictures of the same shape.
func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int {
    precondition(a.count == b.count, "\(a.count) and \(b.count) bytes")
    return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0
}

/// `jpeg` with an EXIF segment after its start marker.
func withOrientation(_ value: Int, bigEndian: Bool, _ jpeg: [UInt8]) -> [UInt8] {
    func field(_ value: Int, _ count: Int) -> [UInt8] {
        let little = (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        return bigEndian ? little.reversed() : little
    }
    let beginning = Array((bigEndian ? "MM" : "II").utf8) + field(42, 2) + field(8, 4) + field(2, 2)
    let resolution = field(0x0128, 2) + field(3, 2) + field(1, 4) + field(2, 2) + [0, 0]
    let orientation = field(0x0112, 2) + field(3, 2) + field(1, 4) + field(value, 2) + [0, 0]
    let block = Array("Exif\0\0".utf8) + beginning + resolution + orientation + field(0, 4)
    return [0xFF, 0xD8, 0xFF, 0xE1, UInt8((block.count + 2) >> 8), UInt8((block.count + 2) & 0xFF)]
        + block + jpeg.dropFirst(2)
}
