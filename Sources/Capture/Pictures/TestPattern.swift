package import Media

/// Moving pictures without a camera: `test_pattern`. A white box moves over a field of colours, the same for every run.
package struct TestPattern: PictureSource {
    /// What width and height may be.
    package static let sides = 16...4_096

    package let size: PixelSize
    private let times: FrameTimes
    private let duration: MediaTime?
    /// [height × width × 3]
    private let field: [UInt8]
    private let boxSide: Int
    private var framesOut = 0

    /// - Parameters:
    ///   - framesPerSecond: within `FrameTimes.rates`.
    ///   - duration: pictures before that time are given; nil never ends.
    /// - Throws: `sizeAbsurd`.
    package init(
        size: PixelSize = PixelSize(width: 640, height: 480), framesPerSecond: Double = 5, duration: MediaTime? = nil
    ) throws(CaptureError) {
        guard Self.sides.contains(size.width), Self.sides.contains(size.height) else { throw .sizeAbsurd(size) }
        self.size = size
        self.duration = duration
        times = FrameTimes(framesPerSecond: framesPerSecond)
        boxSide = min(size.width, size.height) / 4
        var field: [UInt8] = []
        field.reserveCapacity(size.pixels * 3)
        for y in 0..<size.height {
            for x in 0..<size.width {
                field += [UInt8(x * 255 / size.width), UInt8(y * 255 / size.height), 96]
            }
        }
        self.field = field
    }

    package mutating func next() -> VideoFrame? {
        let time = times.time(of: framesOut)
        if let duration, time >= duration { return nil }
        defer { framesOut += 1 }
        return VideoFrame(
            time: time, size: size, format: .rgb24, bytesPerRow: size.width * 3, bytes: pixels(of: framesOut))
    }

    package var losses: String? { nil }

    private func pixels(of frame: Int) -> [UInt8] {
        let (left, top) = (swing(frame, within: size.width), swing(frame, within: size.height))
        var pixels = field
        for y in top..<top + boxSide {
            let row = (y * size.width + left) * 3
            for index in row..<row + boxSide * 3 { pixels[index] = 255 }
        }
        return pixels
    }

    /// To and fro by an eighth of the box a picture.
    private func swing(_ frame: Int, within length: Int) -> Int {
        let way = length - boxSide
        let place = frame * max(1, boxSide / 8) % (2 * way)
        return min(place, 2 * way - place)
    }
}
