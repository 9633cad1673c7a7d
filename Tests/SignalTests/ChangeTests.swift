import Foundation
import Media
import Signal
import TestSupport
import Testing

/// The measure alone, on a made-up world.
struct ChangeTests {
    static let size = PixelSize(width: 160, height: 90)
    static let comparison = ViewComparison()
    /// What `scene_change` takes for another view by default.
    static let threshold: Float = 0.12

    private func sketch(_ pixels: [Float], noise: Float = 0, seed: UInt64 = 0) -> LumaSketch {
        var random = SplitMix64(seed: seed)
        return LumaSketch(
            Picture(
                width: Self.size.width, height: Self.size.height, channels: 1,
                pixels: pixels.bytes(noise: noise, &random)))
    }

    private func view(_ seed: UInt64, x: Float = 0, zoom: Float = 1) -> [Float] {
        World(seed: seed).view(Self.size, x: x, zoom: zoom)
    }

    @Test func aSketchIsTheMeanOfItsParts() {
        let size = PixelSize(width: 128, height: 72)
        let pixels = (0..<size.pixels).map { UInt8(($0 % size.width) / 2 + ($0 / size.width) / 2) }
        let sketch = LumaSketch(Picture(width: size.width, height: size.height, channels: 1, pixels: pixels))
        for row in 0..<LumaSketch.rows {
            for column in 0..<LumaSketch.columns {
                #expect(abs(sketch.cells[row * LumaSketch.columns + column] - Float(column + row)) < 0.01)
            }
        }
    }

    @Test(arguments: [(1, 1), (1, 250), (250, 1), (3, 5), (63, 35), (65, 37), (64, 36), (80, 60), (1_500, 9)])
    func picturesOfAnySizeHaveASketch(width: Int, height: Int) {
        let flat = Picture(
            width: width, height: height, channels: 1, pixels: [UInt8](repeating: 77, count: width * height))
        #expect(LumaSketch(flat).cells.allSatisfy { abs($0 - 77) < 0.01 })
        #expect(Self.comparison.change(LumaSketch(flat), LumaSketch(flat)) == 0)
    }

    @Test func aSketchDoesNotDependOnTheSizeOfThePicture() {
        let world = World(seed: 5)
        let sketches = [(160, 90), (80, 60), (240, 135), (320, 180)].map { width, height in
            var random = SplitMix64(seed: 0)
            let size = PixelSize(width: width, height: height)
            return LumaSketch(
                Picture(width: width, height: height, channels: 1, pixels: world.view(size).bytes(&random)))
        }
        for sketch in sketches { #expect(Self.comparison.change(sketches[0], sketch) < 0.06) }
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func anotherViewIsAChangeAndACut(seed: UInt64) {
        let (one, other) = (sketch(view(seed)), sketch(view(seed + 100)))
        #expect(Self.comparison.change(one, other) > 3 * Self.threshold)
        #expect(Self.comparison.change(one, other) == Self.comparison.change(other, one))
        #expect(Self.comparison.isCut(from: one, to: other))
    }

    @Test(arguments: 0..<10 as Range<UInt64>, [0.5, 0.6, 0.8, 1.25, 1.6, 2] as [Float])
    func anExposureStepIsNoChange(seed: UInt64, gain: Float) {
        let pixels = view(seed)
        let change = Self.comparison.change(sketch(pixels), sketch(pixels.map { $0 * gain }))
        #expect(change < Self.threshold / 2)
    }

    @Test(arguments: 0..<10 as Range<UInt64>, [0, 0.02, 0.1, 0.3] as [Float])
    func theLightGoingOutIsAChangeAndItsReturn(seed: UInt64, rest: Float) {
        let (bright, dark) = (sketch(view(seed)), sketch(view(seed).map { $0 * rest }))
        #expect(Self.comparison.change(bright, dark) > Self.threshold)
        #expect(Self.comparison.isCut(from: bright, to: dark) && Self.comparison.isCut(from: dark, to: bright))
    }

    @Test func aCoveredLensIsAChange() {
        for light in [0, 30, 100, 200, 255] as [Float] {
            let covered = sketch([Float](repeating: light, count: Self.size.pixels))
            #expect(Self.comparison.change(sketch(view(3)), covered) > Self.threshold)
        }
    }

    @Test(arguments: [2, 5, 10] as [Float]) func noiseIsNoChange(deviation: Float) {
        let pixels = view(7)
        var level = NoiseLevel()
        let frames = (0..<20 as Range<UInt64>).map { seed in
            var frame = sketch(pixels, noise: deviation, seed: seed)
            level.measure(&frame, Self.comparison)
            return frame
        }
        for frame in frames.dropFirst(8) { #expect(Self.comparison.change(frames[5], frame) < 0.01) }
        // 6.25 pixels a cell
        #expect(abs(frames[19].noise - deviation / 2.5) < deviation / 2.5)
    }

    @Test func movementIsNotTakenForNoise() {
        var level = NoiseLevel()
        for index in 0..<30 {
            var frame = sketch(view(9, x: Float(index) * 0.01))
            level.measure(&frame, Self.comparison)
            #expect(frame.noise < 0.5)
        }
    }

    @Test(arguments: [0, 0.25, 0.5, 0.75] as [Float]) func bandsOfMainsFlickerAreNoChange(phase: Float) {
        let pixels = view(11)
        let banded = pixels.indices.map { index in
            let row = Float(index / Self.size.width) / Float(Self.size.height)
            return pixels[index] * (1 + 0.1 * sin(2 * Float.pi * (2 * row + phase)))
        }
        #expect(Self.comparison.change(sketch(pixels), sketch(banded)) < Self.threshold / 2)
    }

    @Test(arguments: 0..<5 as Range<UInt64>) func aMovementIsAChangeButNoCut(seed: UInt64) {
        let before = sketch(view(seed))
        for (x, zoom) in [(0.05, 1), (0.15, 1), (0, 1.15), (-0.1, 1)] as [(Float, Float)] {
            let after = sketch(view(seed, x: x, zoom: zoom))
            #expect(Self.comparison.change(before, after) > Self.threshold / 2)
            #expect(!Self.comparison.isCut(from: before, to: after), "\(x) \(zoom)")
        }
    }

    @Test(arguments: [(0.3, true), (0.5, true), (0.1, false)] as [(Float, Bool)])
    func anObjectIsAChangeFromItsSizeOn(side: Float, isChange: Bool) {
        var pixels = view(13)
        for row in 0..<Int(side * 90) {
            for column in 0..<Int(side * 160) {
                let index = row * Self.size.width + column
                pixels[index] = pixels[index] > 127 ? 20 : 230
            }
        }
        let change = Self.comparison.change(sketch(view(13)), sketch(pixels))
        #expect(abs(change - side * side) < 0.05)
    }

    @Test func onlyZonesCountAndMasksDoNot() throws {
        var pixels = view(15)
        for row in 0..<90 {
            for column in 0..<80 { pixels[row * 160 + column] = pixels[row * 160 + column] > 127 ? 20 : 230 }
        }
        let (before, after) = (sketch(view(15)), sketch(pixels))
        func change(zones: [UnitRectangle] = [], mask: [UnitRectangle] = []) -> Float {
            ViewComparison(zones: zones, mask: mask).change(before, after)
        }
        let left = try #require(UnitRectangle(left: 0, top: 0, right: 0.5, bottom: 1))
        let right = try #require(UnitRectangle(left: 0.5, top: 0, right: 1, bottom: 1))
        let speck = try #require(UnitRectangle(left: 0.101, top: 0.101, right: 0.103, bottom: 0.103))
        #expect(abs(change() - 0.5) < 0.1)
        #expect(change(zones: [left]) > 0.9 && change(zones: [right]) == 0 && change(mask: [left]) == 0)
        #expect(change(mask: [right]) > 0.9 && abs(change(zones: [left, right]) - change()) < 0.02)
        #expect(change(zones: [left], mask: [left]) == 0)
        #expect(ViewComparison(zones: [left], mask: [left]).isBlind)
        #expect(!ViewComparison(zones: [speck]).isBlind && change(zones: [speck]) == 1)
    }
}
