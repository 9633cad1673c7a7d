import Media
import Signal
import Testing
import TestSupport

struct PictureRawTests {
    let decoder = PictureDecoder()

    private func frame(_ format: PixelFormat, _ width: Int, _ height: Int, row: Int, _ bytes: [UInt8]) -> VideoFrame {
        VideoFrame(
            time: .zero, size: PixelSize(width: width, height: height), format: format, bytesPerRow: row, bytes: bytes)
    }

    /// BT.601 in limited range, in real numbers.
    private func rgb(_ y: UInt8, _ u: UInt8, _ v: UInt8) -> [UInt8] {
        let luma = 255.0 / 219 * (Double(y) - 16)
        let (blue, red) = (255.0 / 224 * (Double(u) - 128), 255.0 / 224 * (Double(v) - 128))
        let values = [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue]
        return values.map { UInt8(min(255, max(0, $0.rounded()))) }
    }

    @Test("YUYV in limited range comes out in full range", arguments: [(2, 1), (5, 3), (16, 9)], [0, 6])
    func yuyv(size: (Int, Int), gap: Int) throws {
        let (width, height) = size
        let row = (width + 1) / 2 * 4 + gap
        let bytes = noise(row, height, channels: 1, seed: 1).pixels
        let decoded = try decoder.decode(frame(.yuyv, width, height, row: row, bytes), as: .rgb)
        #expect(decoded.fullSize == PixelSize(width: width, height: height) && !decoded.isDamaged)
        let expected = (0..<width * height).flatMap { index in
            let pair = index / width * row + index % width / 2 * 4
            return rgb(bytes[pair + index % width % 2 * 2], bytes[pair + 1], bytes[pair + 3])
        }
        #expect(largestDifference(decoded.picture.pixels, expected) <= 1)
    }

    @Test("NV12 in limited range comes out in full range", arguments: [(2, 2), (5, 3), (16, 9)], [0, 1, 6])
    func nv12(size: (Int, Int), gap: Int) throws {
        let (width, height) = size
        let row = width + gap
        let chromaRow = (row + 1) / 2 * 2
        let chroma = height * row
        let bytes = noise(chroma + (height + 1) / 2 * chromaRow, 1, channels: 1, seed: 2).pixels
        let picture = try decoder.decode(frame(.nv12, width, height, row: row, bytes), as: .rgb).picture
        let expected = (0..<width * height).flatMap { index in
            let (x, y) = (index % width, index / width)
            let pair = chroma + y / 2 * chromaRow + x / 2 * 2
            return rgb(bytes[y * row + x], bytes[pair], bytes[pair + 1])
        }
        #expect(largestDifference(picture.pixels, expected) <= 1)
    }

    @Test("Black and white of limited range are those of full range")
    func stretchesLuma() throws {
        let yuyv = frame(.yuyv, 4, 1, row: 8, [16, 128, 235, 128, 0, 128, 255, 128])
        #expect(try decoder.decode(yuyv, as: .luma).picture.pixels == [0, 255, 0, 255])
        #expect(try decoder.decode(yuyv, as: .rgb).picture.pixels == [0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255])
    }

    @Test("Grey and R, G, B keep their values, without the gaps between rows")
    func keepsFullRange() throws {
        let grey = frame(.grey, 2, 2, row: 3, [1, 2, 99, 254, 255])
        #expect(try decoder.decode(grey, as: .luma).picture.pixels == [1, 2, 254, 255])
        #expect(try decoder.decode(grey, as: .rgb).picture.pixels == [1, 1, 1, 2, 2, 2, 254, 254, 254, 255, 255, 255])
        let rgb = frame(.rgb24, 1, 2, row: 4, [255, 0, 0, 9, 10, 20, 30])
        #expect(try decoder.decode(rgb, as: .rgb).picture.pixels == [255, 0, 0, 10, 20, 30])
        #expect(try decoder.decode(rgb, as: .luma).picture.pixels == [76, 18])  // 0.299, 0.587, 0.114
    }

    @Test(
        "The eighth is the mean of each box, also at the edges",
        arguments: [PixelFormat.yuyv, .nv12, .grey, .rgb24], [(8, 8), (17, 9), (3, 2), (64, 33)])
    func eighthIsTheMean(format: PixelFormat, size: (Int, Int)) throws {
        let (width, height) = size
        let row = width * 4 + 4
        var bytes = noise(row, 2 * height, channels: 1, seed: 3).pixels
        if format == .yuyv || format == .nv12 { bytes = bytes.map { 16 + $0 % 220 } }  // cutting would change the mean
        let raw = frame(format, width, height, row: row, bytes)
        let (luma, eighth) = (try decoder.decode(raw, as: .luma).picture, try decoder.eighthLuma(raw))
        #expect(eighth.size == PixelSize(width: (width + 7) / 8, height: (height + 7) / 8))
        for index in eighth.pixels.indices {
            let (column, line) = (index % eighth.width, index / eighth.width)
            let columns = 8 * column..<min(8 * column + 8, width)
            var box: [UInt8] = []
            for y in 8 * line..<min(8 * line + 8, height) {
                box += luma.pixels[y * width + columns.lowerBound..<y * width + columns.upperBound]
            }
            let mean = Double(box.reduce(0) { $0 + Int($1) }) / Double(box.count)
            #expect(abs(mean - Double(eighth.pixels[index])) <= 1.25)  // stretched after the mean, not before
        }
    }

    @Test("Bytes that do not fit the size are refused, the last row needs no gap", arguments: PixelFormat.allCases)
    func refusesShortFrames(format: PixelFormat) throws {
        if format == .mjpeg { return }
        let row = 32
        let needed = [.yuyv: 2 * row + 20, .nv12: 3 * row + row + 10, .grey: 2 * row + 9, .rgb24: 2 * row + 27][format]
        let whole = [UInt8](repeating: 128, count: try #require(needed))
        for channels in PictureChannels.allCases {
            _ = try decoder.decode(frame(format, 9, 3, row: row, whole), as: channels)
        }
        _ = try decoder.eighthLuma(frame(format, 9, 3, row: row, whole))
        for bad in [
            frame(format, 9, 3, row: row, Array(whole.dropLast())), frame(format, 9, 3, row: row, []),
            frame(format, 9, 3, row: 8, whole), frame(format, 9, 3, row: 0, whole), frame(format, 9, 3, row: -1, whole),
            frame(format, 0, 3, row: row, whole), frame(format, 9, -3, row: row, whole),
            frame(format, .max, .max, row: .max, whole), frame(format, 9, 65_536, row: row, whole)
        ] {
            #expect(throws: SignalError.self) { try decoder.decode(bad, as: .rgb) }
            #expect(throws: SignalError.self) { try decoder.eighthLuma(bad) }
        }
    }
}
