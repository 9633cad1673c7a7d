import EfficientNet
import Kernels
import Signal
import Testing

struct PixelTests {
    /// Means and deviations of ImageNet, of a value of 0 and of 255.
    static let black: [Float] = [-2.117904, -2.0357144, -1.8044444]
    static let white: [Float] = [2.2489083, 2.4285715, 2.64]

    @Test(arguments: [(1, 1), (1, 2_000), (2_000, 1), (33, 33), (34, 33), (64, 1_000), (300, 40)], [1, 3])
    func everyShapeOfPictureFits(size: (width: Int, height: Int), channels: Int) throws {
        let model = try Tiny.model()
        let count = size.width * size.height * channels
        let pixels = model.pixels(
            from: Picture(
                width: size.width, height: size.height, channels: channels,
                pixels: [UInt8](repeating: 255, count: count)))
        #expect(pixels.shape == [33 * 33, 3])
        for (i, value) in pixels.array.enumerated() { #expect(abs(value - Self.white[i % 3]) < 1e-6) }
    }

    @Test func theMiddleOfAWidePictureIsSeen() throws {
        let model = try Tiny.model()
        // 33 + 2 · 9 columns, the outer ones white, the middle black: exactly the middle is left.
        let bytes = (0..<33 * 51).map { UInt8((9..<42).contains($0 % 51) ? 0 : 255) }
        let pixels = model.pixels(from: Picture(width: 51, height: 33, channels: 1, pixels: bytes))
        for (i, value) in pixels.array.enumerated() { #expect(abs(value - Self.black[i % 3]) < 1e-6) }
    }

    @Test func anOddRestIsHalvedAsPythonRounds() throws {
        let model = try Tiny.model()
        // A rest of 3 leaves round(1.5) = 2 to the left, one of 1 leaves round(0.5) = 0.
        for (width, left) in [(36, 2), (34, 0), (38, 2)] {
            let bytes = (0..<33 * width).map { UInt8($0 % width == left ? 255 : 0) }
            let pixels = model.pixels(from: Picture(width: width, height: 33, channels: 1, pixels: bytes))
            #expect(abs(pixels[0, 0] - Self.white[0]) < 1e-6 && abs(pixels[1, 0] - Self.black[0]) < 1e-6, "\(width)")
        }
    }

    @Test func channelsKeepTheirOrder() throws {
        let model = try Tiny.model()
        let pixels = model.pixels(
            from: Picture(
                width: 33, height: 33, channels: 3, pixels: (0..<33 * 33).flatMap { _ -> [UInt8] in [255, 0, 0] }))
        #expect(abs(pixels[0, 0] - Self.white[0]) < 1e-6 && abs(pixels[0, 2] - Self.black[2]) < 1e-6)
    }
}
