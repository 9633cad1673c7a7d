import Foundation
import Media
import Signal
import TestSupport

/// A made-up world to look at: soft shapes of several sizes, with edges, the same for a seed.
struct World {
    private struct Shape {
        let x, y, radius, light: Float
        let isRound: Bool
    }
    private let shapes: [Shape]
    private let ground: Float

    init(seed: UInt64, shapes count: Int = 60) {
        var random = SplitMix64(seed: seed)
        ground = Float.random(in: 60..<160, using: &random)
        shapes = (0..<count).map { _ in
            Shape(
                x: Float.random(in: -0.2..<2.2, using: &random), y: Float.random(in: -0.1..<1.1, using: &random),
                radius: Float.random(in: 0.02..<0.25, using: &random),
                light: Float.random(in: 20..<180, using: &random), isRound: Bool.random(using: &random))
        }
    }

    /// What a camera sees: luma of `size`.
    ///
    /// - Parameters:
    ///   - x: how far it has turned to the right, in widths of the picture.
    ///   - zoom: 1, or more for a narrower view about the middle.
    func view(_ size: PixelSize, x: Float = 0, zoom: Float = 1) -> [Float] {
        var pixels = [Float](repeating: ground, count: size.pixels)
        for row in 0..<size.height {
            let v = (Float(row) / Float(size.height) - 0.5) / zoom + 0.5
            for shape in shapes where abs(v - shape.y) < shape.radius {
                let half =
                    shape.isRound
                    ? (shape.radius * shape.radius - (v - shape.y) * (v - shape.y)).squareRoot() : shape.radius
                func column(_ u: Float) -> Float { ((u - x - 0.5) * zoom + 0.5) * Float(size.width) }
                let (left, right) = (column(shape.x - half * 0.6), column(shape.x + half * 0.6))
                guard right > 0, left < Float(size.width) else { continue }
                for pixel in max(0, Int(left))..<min(size.width, max(0, Int(right) + 1)) {
                    let part = min(right, Float(pixel + 1)) - max(left, Float(pixel))
                    pixels[row * size.width + pixel] += max(0, part) * (shape.light - pixels[row * size.width + pixel])
                }
            }
        }
        return pixels
    }
}

extension [Float] {
    /// Eight bits a pixel, with the noise of a sensor.
    func bytes(noise deviation: Float = 0, _ random: inout SplitMix64) -> [UInt8] {
        map { light in
            // The sum of four is near enough to a normal distribution of deviation 1.
            let normal =
                deviation == 0
                ? 0 : (0..<4).reduce(Float(0)) { sum, _ in sum + Float.random(in: -0.866..<0.866, using: &random) }
            return UInt8(Swift.min(Swift.max(light + deviation * normal, 0), 255))
        }
    }
}
