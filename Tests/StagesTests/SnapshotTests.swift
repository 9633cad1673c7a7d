import Foundation
import Media
import Signal
import Stages
import TestSupport
import Testing

struct SnapshotTests {
    /// Base64 characters of a snapshot in a line of 64 KiB.
    private static let limit = 65_536 - 600

    private func frame(_ picture: Picture, quality: Int = 90) -> VideoFrame {
        frame(JPEGEncoder.encode(picture, quality: quality))
    }

    private func frame(_ jpeg: [UInt8]) -> VideoFrame {
        VideoFrame(time: .zero, size: PixelSize(width: 0, height: 0), format: .mjpeg, bytesPerRow: 0, bytes: jpeg)
    }

    private func shared(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: try #require(RealData.shared("images/\(name)")))))
    }

    /// Hard to compress, and not the same everywhere.
    private func noise(_ width: Int, _ height: Int, channels: Int = 3) -> Picture {
        var random = SplitMix64(seed: 9)
        let pixels = (0..<width * height * channels / 8 + 1).flatMap { _ in
            withUnsafeBytes(of: random.next()) { Array($0) }
        }
        return Picture(
            width: width, height: height, channels: channels, pixels: Array(pixels.prefix(width * height * channels)))
    }

    private func snapshot(_ frame: VideoFrame, maxWidth: Int? = nil, limit: Int = limit) throws -> (Snapshot, Picture) {
        let snapshot = try Snapshot(of: frame, maxWidth: maxWidth, base64Limit: limit)
        #expect(snapshot.base64.utf8.count <= limit)
        let shown = try PictureDecoder().decode(jpeg: snapshot.jpeg, as: .rgb)
        #expect(!shown.isDamaged)
        #expect(shown.picture.size == snapshot.size)
        #expect(try JPEGHeader(of: snapshot.jpeg).orientation == .upright)
        return (snapshot, shown.picture)
    }

    @Test func `a JPEG that fits goes out as it is`() throws {
        let frame = frame(noise(64, 48))
        #expect(try snapshot(frame).0.jpeg == frame.bytes)
        var padded = frame
        padded.bytes += [UInt8](repeating: 0, count: 5_000)
        #expect(try snapshot(padded).0.jpeg == frame.bytes, "a camera's padding stays behind")
    }

    @Test(arguments: [(4_000, 3_000), (1_280, 720), (720, 1_280), (640, 480)])
    func `noise of any size fits into the line`(width: Int, height: Int) throws {
        let (snapshot, _) = try snapshot(frame(noise(width, height)))
        #expect(snapshot.jpeg.count > Self.limit * 3 / 5, "the room is used: \(snapshot.jpeg.count)")
        let ratio = Double(snapshot.size.width) / Double(snapshot.size.height)
        #expect(abs(ratio - Double(width) / Double(height)) < 0.02)
    }

    @Test(arguments: [16, 100, 333, 1_000, 5_000]) func `it is no wider than asked`(maxWidth: Int) throws {
        let size = try snapshot(frame(noise(900, 300)), maxWidth: maxWidth).0.size
        #expect(size.width <= min(maxWidth, 900))
        #expect(size.width >= min(maxWidth, 300))
    }

    @Test(arguments: [(1, 1), (1, 2_000), (2_000, 1), (3, 5)]) func `thin and tiny pictures keep a pixel`(
        width: Int, height: Int
    ) throws {
        let (snapshot, _) = try snapshot(frame(noise(width, height)), maxWidth: 16)
        #expect(snapshot.size.width >= 1 && snapshot.size.height >= 1)
    }

    @Test(arguments: PixelFormat.allCases.filter { $0 != .mjpeg }) func `raw frames become JPEGs`(format: PixelFormat)
        throws
    {
        let (width, height) = (320, 240)
        let rowBytes = format == .rgb24 ? width * 3 : format == .yuyv ? width * 2 : width
        let rows = format == .nv12 ? height * 3 / 2 : height
        let raw = VideoFrame(
            time: .zero, size: PixelSize(width: width, height: height), format: format, bytesPerRow: rowBytes,
            bytes: [UInt8](repeating: 128, count: rowBytes * rows))
        let (snapshot, picture) = try snapshot(raw)
        #expect(snapshot.size == raw.size)
        #expect(picture.pixels.allSatisfy { abs(Int($0) - 130) < 5 }, "mid-gray, whatever the range")
        #expect(try JPEGHeader(of: snapshot.jpeg).components == (format == .grey ? 1 : 3))
    }

    @Test(arguments: [[], [1, 2, 3], [0xFF, 0xD8, 0xFF, 0xD9]] as [[UInt8]])
    func `what is no picture is an error`(bytes: [UInt8]) {
        #expect(throws: SignalError.self) { _ = try Snapshot(of: frame(bytes), maxWidth: nil, base64Limit: Self.limit) }
    }

    @Test(
        .enabled(if: RealData.shared("images") != nil, "needs ../shared/data"),
        arguments: (try? FileManager.default.contentsOfDirectory(atPath: RealData.shared("images") ?? ""))?
            .filter { $0.hasSuffix(".jpg") }.sorted() ?? [])
    func `every shared photograph fits into the line`(name: String) throws {
        let bytes = try shared(name)
        let (snapshot, picture) = try snapshot(frame(bytes))
        let original = try PictureDecoder().decode(jpeg: bytes, as: .rgb).picture.resized(to: snapshot.size)
        let error = zip(picture.pixels, original.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        #expect(Double(error) / Double(picture.pixels.count) < 8, "it shows what the photograph shows")
        #expect(snapshot.size.width >= 500)
    }

    @Test(.enabled(if: RealData.shared("images/awkward") != nil, "needs ../shared/data"))
    func `awkward pictures are made fit for any viewer`() throws {
        // No tables, an orientation, CMYK: never as they are.
        for name in ["nodht_422", "nodht_avi1_420", "exif_landscape_6", "cmyk", "truncated_60", "leading_garbage"] {
            let bytes = try shared("awkward/\(name).jpg")
            let (snapshot, _) = try snapshot(frame(bytes))
            #expect(snapshot.jpeg != bytes, "\(name)")
            #expect(snapshot.jpeg.contains(0xC4))
        }
        #expect(
            try snapshot(frame(shared("awkward/exif_landscape_6.jpg")), limit: 1 << 20).0.size
                == PixelSize(width: 800, height: 533))
        let thumbnail = try shared("awkward/embedded_thumbnail.jpg")
        #expect(try snapshot(frame(thumbnail), limit: 1 << 20).0.jpeg == thumbnail, "the whole, not its thumbnail")
        let two = try shared("awkward/two_images.jpg")
        #expect(try snapshot(frame(two), limit: 1 << 20).0.jpeg.count < two.count, "the first image only")
        for name in try FileManager.default.contentsOfDirectory(atPath: try #require(RealData.shared("images/awkward")))
        {
            guard let one = try? Snapshot(of: frame(shared("awkward/\(name)")), maxWidth: nil, base64Limit: Self.limit)
            else { continue }
            #expect(one.base64.utf8.count <= Self.limit, "\(name)")
        }
    }
}
