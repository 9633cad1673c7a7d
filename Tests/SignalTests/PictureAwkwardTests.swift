import Foundation
import Media
import Signal
import Testing
import TestSupport

/// Every awkward file of the shared pictures, by what it must give.
@Suite(.enabled(if: hasSharedPictures, "needs ../shared/data"))
struct PictureAwkwardTests {
    let decoder = PictureDecoder()

    @Test(
        "Odd but whole files decode",
        arguments: [
            ("nodht_422", 640, 480), ("nodht_avi1_420", 640, 480), ("s444", 640, 480), ("s422", 640, 480),
            ("progressive", 640, 480), ("optimized", 640, 480), ("gray", 640, 480), ("cmyk", 640, 480),
            ("restart_markers", 640, 480), ("no_eoi", 640, 480), ("trailing_garbage", 640, 480),
            ("leading_garbage", 640, 480), ("two_images", 640, 480), ("fill_bytes", 640, 480),
            ("embedded_thumbnail", 640, 480), ("odd_641x479", 641, 479), ("tiny_1x1", 1, 1), ("thin_1x2000", 1, 2_000),
            ("exif_landscape_3", 800, 533), ("exif_landscape_5", 800, 533), ("exif_landscape_6", 800, 533),
            ("exif_landscape_8", 800, 533)
        ])
    func decodes(name: String, width: Int, height: Int) throws {
        let frame = jpegFrame(try #require(sharedPicture("awkward/\(name).jpg")))
        for channels in PictureChannels.allCases {
            let decoded = try decoder.decode(frame, as: channels)
            #expect(decoded.fullSize == PixelSize(width: width, height: height))
            #expect(decoded.picture.size == decoded.fullSize && !decoded.isDamaged)
        }
        let stored = try JPEGHeader(of: frame.bytes).storedSize
        let eighth = try decoder.eighthLuma(frame)
        #expect(eighth.size == PixelSize(width: (stored.width + 7) / 8, height: (stored.height + 7) / 8))
    }

    @Test(
        "All copies of the macaws show the macaws",
        arguments: [
            "nodht_422", "nodht_avi1_420", "s422", "s444", "progressive", "optimized", "cmyk", "restart_markers",
            "no_eoi",
            "leading_garbage", "trailing_garbage", "two_images", "fill_bytes", "embedded_thumbnail"
        ])
    func showsTheMacaws(name: String) throws {
        func thumbnail(_ path: String) throws -> [UInt8] {
            let picture = try decoder.decode(jpeg: #require(sharedPicture(path)), as: .rgb).picture
            return picture.resized(to: PixelSize(width: 16, height: 12)).pixels
        }
        #expect(try largestDifference(thumbnail("awkward/\(name).jpg"), thumbnail("parrots.jpg")) <= 6)
    }

    @Test("Damaged files give what they hold and say so", arguments: ["restart_damaged", "truncated_60"])
    func tellsDamage(name: String) throws {
        let frame = jpegFrame(try #require(sharedPicture("awkward/\(name).jpg")))
        let decoded = try decoder.decode(frame, as: .rgb)
        #expect(decoded.isDamaged && decoded.picture.size == PixelSize(width: 640, height: 480))
        let whole = try decoder.decode(jpeg: #require(sharedPicture("awkward/no_eoi.jpg")), as: .rgb).picture
        let upperRows = 640 * 3 * 160
        #expect(decoded.picture.pixels.prefix(upperRows) == whole.pixels.prefix(upperRows))
        #expect(throws: SignalError.self) { try decoder.eighthLuma(frame) }
    }

    @Test(
        "Files that hold no picture are refused with a reason",
        arguments: [
            ("claims_65500", "65500x65500"), ("height_0", "Empty JPEG"), ("precision_12", "precision 12"),
            ("arithmetic_sof9", "arithmetic"), ("empty", "empty"), ("soi_only", "no image"), ("soi_eoi", "no image"),
            ("garbage", "begins with"), ("soi_garbage", "marker"), ("png_named", "PNG"), ("text", "<html>"),
            ("truncated_header", "Huffman")
        ])
    func refuses(name: String, words: String) throws {
        let frame = jpegFrame(try #require(sharedPicture("awkward/\(name).jpg")))
        let error = #expect(throws: SignalError.self) { try decoder.decode(frame, as: .rgb) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        #expect(throws: SignalError.self) { try decoder.eighthLuma(frame) }
    }

    @Test("108 megapixels come at the scale that is needed")
    func scalesTheHugeOne() throws {
        let frame = jpegFrame(try #require(sharedPicture("awkward/huge_12000x9000.jpg")))
        let decoded = try decoder.decode(frame, as: .rgb, atLeast: PixelSize(width: 224, height: 224))
        #expect(decoded.picture.size == PixelSize(width: 1_500, height: 1_125))
        #expect(decoded.fullSize == PixelSize(width: 12_000, height: 9_000))
        #expect(try decoder.decode(frame, as: .luma).picture.size == PixelSize(width: 6_000, height: 4_500))
    }

    @Test("No awkward file takes memory as its header claims")
    func staysSmall() async {
        await #expect(processExitsWith: .success) {
            let folder = try #require(RealData.shared("images/awkward"))
            let before = peakKilobytes()
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".jpg") {
                let frame = jpegFrame(try bytes(at: URL(filePath: "\(folder)/\(name)")))
                _ = try? PictureDecoder().decode(frame, as: .rgb, atLeast: PixelSize(width: 224, height: 224))
                _ = try? PictureDecoder().eighthLuma(frame)
            }
            let grown = peakKilobytes() - before
            precondition(grown < 40_000, "\(grown) kB")  // the files, rows of 12,000 pixels, 1500x1125 in colour
        }
    }
}

/// The most memory the process ever had.
private func peakKilobytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") } ?? ""
    return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
}
