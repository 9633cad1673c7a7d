import Media
import Signal
import Testing
import TestSupport

struct PictureOrientationTests {
    /// The four pixels 1 2 / 3 4, row by row, as Pillow's `ImageOps.exif_transpose` shows them.
    @Test(
        "Pixels are shown as the orientation says",
        arguments: [
            (1, [1, 2, 3, 4]), (2, [2, 1, 4, 3]), (3, [4, 3, 2, 1]), (4, [3, 4, 1, 2]),
            (5, [1, 3, 2, 4]), (6, [3, 1, 4, 2]), (7, [4, 2, 3, 1]), (8, [2, 4, 1, 3])
        ] as [(Int, [UInt8])])
    func showsPixels(value: Int, shown: [UInt8]) throws {
        let stored = Picture(width: 2, height: 2, channels: 1, pixels: [1, 2, 3, 4])
        #expect(stored.oriented(try #require(EXIFOrientation(rawValue: value))).pixels == shown)
    }

    @Test("A turn and the turn back give the stored picture", arguments: EXIFOrientation.allCases, [1, 3])
    func turnsBack(orientation: EXIFOrientation, channels: Int) {
        let stored = noise(5, 3, channels: channels, seed: 1)
        let back: EXIFOrientation =
            switch orientation {
            case .turnedRight: .turnedLeft
            case .turnedLeft: .turnedRight
            default: orientation
            }
        #expect(stored.oriented(orientation).size == orientation.shown(stored.size))
        #expect(stored.oriented(orientation).oriented(back) == stored)
    }

    @Test("The EXIF segment is read in both byte orders", arguments: 1...8, [true, false])
    func readsSegment(value: Int, bigEndian: Bool) throws {
        let header = try JPEGHeader(of: withOrientation(value, bigEndian: bigEndian, goldenJPEG("s420")))
        #expect(header.orientation.rawValue == value)
    }

    @Test("An orientation that makes no sense is upright", arguments: [0, 9, 65_535])
    func ignoresNonsense(value: Int) throws {
        #expect(try JPEGHeader(of: withOrientation(value, bigEndian: true, goldenJPEG("s420"))).orientation == .upright)
    }

    @Test("A damaged EXIF segment never traps")
    func survivesDamage() throws {
        let jpeg = try withOrientation(6, bigEndian: false, goldenJPEG("gray"))
        for index in 4..<60 {
            for value: UInt8 in [0, 1, 0x7F, 0xFF] {
                var damaged = jpeg
                damaged[index] = value
                _ = try? JPEGHeader(of: damaged)
            }
        }
        for count in 0..<jpeg.count { _ = try? JPEGHeader(of: Array(jpeg.prefix(count))) }
    }

    @Test(
        "The shared pictures stand upright: sky above, dark rock below",
        .enabled(if: hasSharedPictures, "needs ../shared/data"), arguments: [3, 5, 6, 8])
    func sharedPicturesStandUpright(value: Int) throws {
        let jpeg = try #require(sharedPicture("awkward/exif_landscape_\(value).jpg"))
        let picture = try PictureDecoder().decode(jpeg: jpeg, as: .rgb).picture
        #expect(picture.size == PixelSize(width: 800, height: 533))
        let quarters = picture.resized(to: PixelSize(width: 2, height: 2)).pixels.map(Int.init)
        #expect(zip(quarters, Self.quarters).allSatisfy { abs($0 - $1) <= 2 }, "\(quarters)")
    }

    /// R, G, B of the upper left, upper right, lower left and lower right quarter: Pillow 13.0.0,
    /// `ImageOps.exif_transpose(Image.open(FILE)).resize((2, 2), Image.BILINEAR)`, alike for all four files.
    static let quarters = [132, 159, 190, 100, 116, 135, 85, 100, 111, 86, 96, 109]
}
