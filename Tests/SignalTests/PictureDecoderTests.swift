import Foundation
import Media
import Signal
import Testing
import TestSupport

struct PictureDecoderTests {
    let decoder = PictureDecoder()

    @Test(
        "Every kind of JPEG gives the pixels of the reference",
        arguments: [
            ("s420", 41, 23), ("s422", 41, 23), ("s444", 40, 24), ("gray", 33, 17), ("cmyk", 33, 17),
            ("progressive", 41, 23), ("optimized", 41, 23), ("restarts", 64, 48), ("rgb", 33, 17)
        ])
    func equalsReference(name: String, width: Int, height: Int) throws {
        let decoded = try decoder.decode(jpegFrame(goldenJPEG(name)), as: .rgb)
        #expect(decoded.picture.size == PixelSize(width: width, height: height))
        #expect(decoded.fullSize == decoded.picture.size)
        #expect(!decoded.isDamaged)
        let expected = try bytes(at: golden("Pictures/\(name)_\(width)x\(height).rgb"))
        let tolerance = 2  // other builds of libjpeg may round otherwise
        #expect(largestDifference(decoded.picture.pixels, expected) <= tolerance)
    }

    @Test(
        "Luma is the brightness of the colours",
        arguments: ["s420", "s444", "gray", "cmyk", "progressive", "rgb"])
    func lumaEqualsBrightness(name: String) throws {
        let jpeg = jpegFrame(try goldenJPEG(name))
        let (rgb, luma) = (try decoder.decode(jpeg, as: .rgb).picture, try decoder.decode(jpeg, as: .luma).picture)
        #expect(luma.channels == 1 && luma.size == rgb.size)
        var sum = 0
        for index in luma.pixels.indices {
            let pixel = rgb.pixels[3 * index..<3 * index + 3].map(Double.init)
            let brightness = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]
            sum += abs(Int(luma.pixels[index]) - Int(brightness.rounded()))
        }
        #expect(sum <= 2 * luma.pixels.count)  // colours out of range are cut, which changes their brightness
    }

    @Test("A scaled picture is never smaller than what is needed")
    func scalesDownToWhatIsNeeded() throws {
        let jpeg = jpegFrame(JPEGEncoder.encode(noise(641, 479, channels: 3, seed: 1), quality: 50))
        func size(_ width: Int, _ height: Int) throws -> PixelSize {
            try decoder.decode(jpeg, as: .rgb, atLeast: PixelSize(width: width, height: height)).picture.size
        }
        #expect(try size(641, 479) == PixelSize(width: 641, height: 479))
        #expect(try size(2_000, 1) == PixelSize(width: 641, height: 479))
        #expect(try size(322, 100) == PixelSize(width: 641, height: 479))
        #expect(try size(321, 240) == PixelSize(width: 321, height: 240))
        #expect(try size(161, 120) == PixelSize(width: 161, height: 120))
        #expect(try size(1, 1) == PixelSize(width: 81, height: 60))
        let decoded = try decoder.decode(jpeg, as: .luma, atLeast: PixelSize(width: 1, height: 1))
        #expect(decoded.fullSize == PixelSize(width: 641, height: 479))
    }

    @Test("What is needed is said of the picture as shown")
    func scalesTurnedPictures() throws {
        let jpeg = JPEGEncoder.encode(noise(160, 80, channels: 3, seed: 2), quality: 50)
        let turned = jpegFrame(withOrientation(6, bigEndian: true, jpeg))
        let decoded = try decoder.decode(turned, as: .rgb, atLeast: PixelSize(width: 40, height: 80))
        #expect(decoded.picture.size == PixelSize(width: 40, height: 80))
        #expect(decoded.fullSize == PixelSize(width: 80, height: 160))
    }

    @Test("A picture beyond the limit of pixels comes scaled down")
    func staysBelowTheLimit() throws {
        var decoder = PictureDecoder()
        decoder.maximumPixels = 2_000
        let jpeg = jpegFrame(JPEGEncoder.encode(noise(160, 80, channels: 1, seed: 3), quality: 50))
        let decoded = try decoder.decode(jpeg, as: .rgb)
        #expect(decoded.picture.size == PixelSize(width: 40, height: 20))
        #expect(decoded.fullSize == PixelSize(width: 160, height: 80))
        decoder.maximumClaimedPixels = 12_799
        #expect(throws: SignalError.self) { try decoder.decode(jpeg, as: .rgb) }
    }

    @Test("A progressive JPEG beyond the limits of its coefficients or scans is refused")
    func boundsProgressiveJPEGs() throws {
        let jpeg = jpegFrame(try goldenJPEG("progressive"))
        var decoder = PictureDecoder()
        decoder.maximumCoefficientBytes = 128
        #expect(throws: SignalError.self) { try decoder.decode(jpeg, as: .rgb) }
        decoder = PictureDecoder()
        decoder.maximumScans = 3
        #expect(throws: SignalError.pictureTooLarge(PixelSize(width: 41, height: 23), reason: "more than 3 scans")) {
            try decoder.decode(jpeg, as: .rgb)
        }
    }

    @Test("The eighth is the mean of each block", arguments: ["s420", "s422", "s444", "gray", "cmyk", "restarts"])
    func eighthIsTheMean(name: String) throws {
        let jpeg = jpegFrame(try goldenJPEG(name))
        let luma = try decoder.decode(jpeg, as: .luma).picture
        let eighth = try decoder.eighthLuma(jpeg)
        #expect(eighth.size == PixelSize(width: (luma.width + 7) / 8, height: (luma.height + 7) / 8))
        for row in 0..<luma.height / 8 {
            for column in 0..<luma.width / 8 {
                let block = (0..<64).map { luma.pixels[(8 * row + $0 / 8) * luma.width + 8 * column + $0 % 8] }
                let mean = Double(block.reduce(0) { $0 + Int($1) }) / 64
                #expect(abs(mean - Double(eighth.pixels[row * eighth.width + column])) <= 3)
            }
        }
    }

    @Test("A cut JPEG gives its upper part and says that it is damaged, and no eighth")
    func tellsDamage() throws {
        let picture = noise(320, 240, channels: 3, seed: 4)
        let jpeg = JPEGEncoder.encode(picture, quality: 90)
        let whole = try decoder.decode(jpegFrame(jpeg), as: .rgb)
        let cut = try decoder.decode(jpegFrame(Array(jpeg.prefix(jpeg.count / 2))), as: .rgb)
        #expect(cut.isDamaged && cut.picture.size == whole.picture.size)
        let upperRows = 96 * 320 * 3
        #expect(cut.picture.pixels.prefix(upperRows) == whole.picture.pixels.prefix(upperRows))
        #expect(throws: SignalError.damagedPicture(reason: "premature end of data segment")) {
            try decoder.eighthLuma(jpegFrame(Array(jpeg.prefix(jpeg.count / 2))))
        }
    }

    @Test("A progressive JPEG that lacks scans is damaged")
    func missesScans() throws {
        let jpeg = try goldenJPEG("progressive")
        let cut = try decoder.decode(jpegFrame(Array(jpeg.prefix(jpeg.count * 2 / 3))), as: .rgb)
        #expect(cut.isDamaged && cut.picture.size == PixelSize(width: 41, height: 23))
    }

    @Test("A missing end marker and stray bytes before it are no damage, lost data is")
    func bearsWhatCamerasDo() throws {
        let jpeg = JPEGEncoder.encode(noise(320, 240, channels: 3, seed: 5), quality: 80)
        let body = Array(jpeg.dropLast(2))
        #expect(try !decoder.decode(jpegFrame(body), as: .rgb).isDamaged)
        #expect(try !decoder.decode(jpegFrame(body + [0, 0, 0, 0xFF, 0xD9]), as: .rgb).isDamaged)
        #expect(try !decoder.decode(jpegFrame(jpeg + Array(repeating: 0, count: 4_096)), as: .rgb).isDamaged)
        let middle = body.count / 2
        let lost = Array(body[..<middle] + body[(middle + 3_000)...] + [0xFF, 0xD9])
        #expect(try decoder.decode(jpegFrame(lost), as: .rgb).isDamaged)
    }

    @Test("The header says what the picture is")
    func readsHeader() throws {
        let header = try JPEGHeader(of: withOrientation(8, bigEndian: false, goldenJPEG("progressive")))
        #expect(header.storedSize == PixelSize(width: 41, height: 23))
        #expect(header.shownSize == PixelSize(width: 23, height: 41))
        #expect(header.isProgressive && header.components == 3 && header.orientation == .turnedLeft)
        #expect(try JPEGHeader(of: goldenJPEG("cmyk")).components == 4)
    }

    @Test("An encoded picture decodes to itself, nearly", arguments: [(1, 1, 1), (17, 9, 3), (64, 64, 1), (160, 90, 3)])
    func roundTrip(width: Int, height: Int, channels: Int) throws {
        let smooth = Picture(
            width: width, height: height, channels: channels,
            pixels: (0..<width * height * channels).map { UInt8($0 / channels % width * 200 / width + 20) })
        let jpeg = jpegFrame(JPEGEncoder.encode(smooth, quality: 95))
        let decoded = try decoder.decode(jpeg, as: channels == 3 ? .rgb : .luma).picture
        #expect(largestDifference(decoded.pixels, smooth.pixels) <= 6)
        for quality in [1, 100] {  // the worst case of the buffer's size
            let noisy = noise(width, height, channels: channels, seed: 6)
            #expect(try !decoder.decode(jpegFrame(JPEGEncoder.encode(noisy, quality: quality)), as: .rgb).isDamaged)
        }
    }

    @Test(
        "What is no JPEG is named",
        arguments: [
            ([], "it is empty"), (Array("hello\nworld".utf8), "the text 'hello'"),
            ([0x89, 0x50, 0x4E, 0x47, 0x0D], "a PNG file"), ([1, 2, 0xAB, 0xFF, 9], "the bytes 01 02 ab ff")
        ])
    func namesWhatIsNoJPEG(bytes: [UInt8], words: String) {
        let error = #expect(throws: SignalError.self) { try decoder.decode(jpegFrame(bytes), as: .rgb) }
        #expect(error?.description.contains(words) == true)
    }
}
