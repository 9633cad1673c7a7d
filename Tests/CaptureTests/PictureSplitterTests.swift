@testable import Capture
import Foundation
import Media
import TestSupport
import Testing

struct PictureSplitterTests {
    private let frames = (0..<6).map { PictureFixtures.jpeg(seed: UInt64($0), dataBytes: 700 + Int($0) * 131) }

    private func garbage(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// Splits in every chunking and expects the same of each.
    private func split(_ stream: [UInt8], maximumBytes: Int = 1 << 20) -> ([[UInt8]], SplitStatistics) {
        let whole = PictureFixtures.split(stream, maximumBytes: maximumBytes)
        for chunk in PictureFixtures.chunkings {
            let pieces = PictureFixtures.split(stream, chunk: chunk, maximumBytes: maximumBytes)
            #expect(pieces == whole, "in pieces of \(chunk)")
        }
        #expect(whole.statistics.pictures == whole.pictures.count)
        return (whole.pictures.map(\.bytes), whole.statistics)
    }

    @Test func `frames behind one another come out as they went in`() {
        let (pictures, statistics) = split(frames.flatMap { $0 })
        #expect(pictures == frames)
        #expect(statistics == SplitStatistics(pictures: 6))
    }

    @Test func `the size is the one of the frame header`() {
        let stream =
            PictureFixtures.jpeg(seed: 1) + PictureFixtures.jpeg(seed: 2, width: 65_500, height: 1)
            + PictureFixtures.jpeg(seed: 3, height: 0)
        #expect(
            PictureFixtures.split(stream).pictures.map(\.size) == [
                PixelSize(width: 320, height: 240), PixelSize(width: 65_500, height: 1), PixelSize(width: 0, height: 0)
            ])
    }

    @Test func `a thumbnail in a segment and scans behind one another do not split a picture`() {
        let thumbnail = PictureFixtures.jpeg(seed: 77, width: 16, height: 16, dataBytes: 50)
        let stream = [
            PictureFixtures.jpeg(seed: 1, thumbnail: thumbnail),
            PictureFixtures.jpeg(seed: 2, dataBytes: 2_000, scans: 7),
            PictureFixtures.jpeg(seed: 3, thumbnail: thumbnail + thumbnail)
        ]
        #expect(split(stream.flatMap { $0 }).0 == stream)
    }

    @Test func `fill bytes before markers belong to the picture`() {
        var picture = frames[0]
        picture.insert(contentsOf: [UInt8](repeating: 0xFF, count: 500), at: 2)
        picture.insert(contentsOf: [0xFF, 0xFF], at: picture.count - 2)
        #expect(split(picture + picture).0 == [picture, picture])
    }

    @Test(arguments: [UInt64(1), 2, 3]) func `garbage between frames is passed over`(seed: UInt64) {
        let between = garbage(300, seed: seed) + [0xFF]
        let (pictures, statistics) = split(between + frames.flatMap { $0 + between + [0xFF, 0xD8, 7] })
        #expect(pictures == frames)
        #expect(statistics.damaged == 0)
    }

    @Test func `a stream may begin within a frame`() {
        for start in stride(from: 3, to: frames[0].count, by: 37) {
            #expect(split(frames[0][start...] + frames[1] + frames[2]).0 == [frames[1], frames[2]])
        }
    }

    /// Wherever a frame is cut, in its header too, where a length reaches over what is behind it. Where that length ends
    /// just before a segment of a later frame, what it reaches over cannot be told from a thumbnail.
    @Test func `a cut frame is dropped and counted, and no other with it but by rare chance`() {
        let photo = PictureFixtures.jpeg(seed: 4, thumbnail: [UInt8](repeating: 9, count: 4_000))
        for cut in [frames[3], PictureFixtures.jpeg(seed: 8, dataBytes: 900, scans: 5), photo] {
            let lengths = 4..<cut.count
            let isExact = lengths.map { length in
                let (pictures, statistics) = PictureFixtures.split(
                    frames[0] + cut.prefix(length) + frames[1] + frames[2])
                return pictures.map(\.bytes) == [frames[0], frames[1], frames[2]] && statistics.damaged == 1
            }
            #expect(isExact.count { !$0 } < lengths.count / 75)
            #expect(isExact.suffix(150).allSatisfy { $0 })  // cut in the image data of its last scan
        }
        _ = split(frames[0] + frames[3].prefix(500) + frames[1] + frames[3].prefix(30) + frames[2])
    }

    @Test func `a last frame without its end is handed out only if it is alone`() {
        let cut = Array(frames[0].dropLast(200))
        #expect(split(cut) == ([cut], SplitStatistics(pictures: 1)))
        #expect(split(frames[1] + cut) == ([frames[1]], SplitStatistics(pictures: 1, damaged: 1)))
        #expect(split(Array(cut.prefix(60))) == ([], SplitStatistics(damaged: 1)))
    }

    @Test func `markers by chance in damaged data reach nowhere`() {
        var damaged = frames[0]
        for (place, code) in [(400, 0xE1), (520, 0xC4), (610, 0xDA), (690, 0xD8), (750, 0xFE)] {
            damaged.replaceSubrange(place..<place + 4, with: [0xFF, UInt8(code), 0x40, 0x11])
        }
        #expect(split(damaged + frames[1] + frames[2]).0 == [damaged, frames[1], frames[2]])
        #expect(split(damaged).0 == [damaged])
    }

    @Test func `start and end alone are no picture`() {
        #expect(split([0xFF, 0xD8, 0xFF, 0xD9]) == ([], SplitStatistics(damaged: 1)))
        #expect(split([0xFF, 0xD8]) == ([], SplitStatistics()))
        #expect(split([]) == ([], SplitStatistics()))
    }

    @Test func `a frame over the limit is dropped and counted`() {
        let long = PictureFixtures.jpeg(seed: 5, dataBytes: 5_000)
        var endless: [UInt8] = [0xFF, 0xD8]
        for _ in 0..<80 { endless += PictureFixtures.segment(0xE5, [UInt8](repeating: 3, count: 62)) }
        let stream = [frames[0], long, frames[1], endless, frames[2]].flatMap { $0 }
        let (pictures, statistics) = split(stream, maximumBytes: 2_048)
        #expect(pictures == [frames[0], frames[1], frames[2]])
        #expect(statistics == SplitStatistics(pictures: 3, oversized: 2))
    }

    /// Lengths that lead from one false start to the next would be followed again and again.
    @Test(.timeLimit(.minutes(1))) func `hostile headers cost no more than their bytes`() {
        let start: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0]
        for pattern in [start + [0xFF, 0xFF], start + [0x00, 0x06, 1, 1], [0xFF, 0xD8], [0xFF], start + [0, 2], start] {
            let stream = [[UInt8]](repeating: pattern, count: (8 << 20) / pattern.count).flatMap { $0 }
            _ = PictureFixtures.split(stream)
            _ = PictureFixtures.split(stream, chunk: 65_536)
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>) func `mutated streams give pieces equal to the whole`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let multipart = seed % 2 == 0
        var stream = multipart ? PictureFixtures.multipart(frames) : frames.flatMap { $0 }
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            let place = Int.random(in: 0..<stream.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: stream[place] = UInt8.random(in: 0...255, using: &random)
            case 1: stream[place] = 0xFF
            case 2: stream.removeSubrange(place..<min(stream.count, place + Int.random(in: 1...99, using: &random)))
            default: stream.insert(contentsOf: [0xFF, UInt8.random(in: 0xC0...0xFE, using: &random)], at: place)
            }
        }
        let (pictures, _) = split(stream, maximumBytes: 4_096)
        #expect(pictures.allSatisfy { $0.count <= 4_096 + 2 })
    }

    @Test(
        .enabled(if: PictureFixtures.hasShared, "needs ../shared/data/images"),
        arguments: [
            ("cuts.mjpeg", 18, 0), ("cockatoo.mjpeg", 28, 0), ("awkward/stream_garbage_between.mjpeg", 8, 0),
            ("awkward/stream_cut_frame.mjpeg", 7, 1), ("awkward/stream_starts_mid_frame.mjpeg", 7, 0),
            ("awkward/stream_size_change.mjpeg", 8, 0), ("awkward/stream_nodht.mjpeg", 8, 0),
            ("awkward/stream_multipart.bin", 8, 0), ("awkward/stream_multipart_nolength.bin", 6, 0),
            ("awkward/two_images.jpg", 2, 0), ("awkward/trailing_garbage.jpg", 1, 0),
            ("awkward/leading_garbage.jpg", 1, 0), ("awkward/fill_bytes.jpg", 1, 0),
            ("awkward/embedded_thumbnail.jpg", 1, 0), ("awkward/no_eoi.jpg", 1, 0),
            ("awkward/truncated_60.jpg", 1, 0), ("awkward/truncated_header.jpg", 0, 1),
            ("awkward/restart_damaged.jpg", 1, 0), ("awkward/progressive.jpg", 1, 0),
            ("awkward/huge_12000x9000.jpg", 1, 0), ("awkward/empty.jpg", 0, 0), ("awkward/soi_only.jpg", 0, 0),
            ("awkward/soi_eoi.jpg", 0, 1), ("awkward/garbage.jpg", 0, 0), ("awkward/text.jpg", 0, 0),
            ("awkward/png_named.jpg", 0, 0)
        ])
    func `awkward files give what their manifest says`(name: String, pictures: Int, damaged: Int) throws {
        let (found, statistics) = split(
            try PictureFixtures.shared(name), maximumBytes: MJPEGSplitter.maximumPictureBytes)
        #expect(found.count == pictures)
        #expect(statistics.damaged == damaged)
    }

    @Test(.enabled(if: PictureFixtures.hasShared, "needs ../shared/data/images"))
    func `a recorded stream is its frames`() throws {
        let found = PictureFixtures.split(try PictureFixtures.shared("cuts.mjpeg")).pictures
        for (index, picture) in found.enumerated() {
            #expect(picture.bytes == (try PictureFixtures.shared(String(format: "seq_cuts/%04d.jpg", index))))
            #expect(picture.size == PixelSize(width: 640, height: 480))
        }
        let sizes = PictureFixtures.split(try PictureFixtures.shared("awkward/stream_size_change.mjpeg")).pictures.map(
            \.size.width)
        #expect(sizes == [320, 320, 320, 320, 640, 640, 640, 640])
    }
}
