import Foundation
import Kernels
import Signal
import Weights

extension GemmaVerification {
    private static let visionBound: Float = 1e-4

    /// Given, not compared: pictures, and the pixels of every size but the processor's, which no bytes were resized to.
    static func isVisionInput(_ name: String) -> Bool {
        name == "vision.image" || name == "vision.image_wide"
            || (name.hasPrefix("vision") && name.hasSuffix(".pixels") && name != "vision.pixels")
    }

    /// Compares the preprocessing, and the encoder at every size that has goldens.
    mutating func compareVision(_ model: GemmaModel, with goldens: Checkpoint, pool: ThreadPool) throws {
        let names = Set(goldens.names)
        for (picture, pixels) in [("vision.image", "vision.pixels"), ("vision.image_wide", "vision.pixels_wide")]
        where names.contains(picture) && names.contains(pixels) {
            try comparePixels(pixels, of: picture, goldens)
        }
        let keys = goldens.names.filter { $0.hasPrefix("vision") && $0.hasSuffix(".pixels") }
        if keys.isEmpty { return }
        let encoder = GemmaVisionEncoder(weights: try model.visionWeights(), pool: pool)
        for name in keys {
            let key = name.dropLast(".pixels".count)
            let side = try pictureSide(name, goldens)
            let channels = try goldens.floats(name, shape: [1, 3, side, side])
            let run = encoder.begin(side) { pixels in
                pixels.copy(interleaved(channels, channels: 3).span, to: 0)
            }
            var seen: [(String, [Float])] = []
            run.observe = { label, map in
                let name = "\(key).\(label)"
                if names.contains(name) { seen.append((name, planes(map))) }
            }
            while run.advance() {}
            for (name, values) in seen { try compare(name, values, with: goldens, bound: Self.visionBound) }
            try compare("\(key).projected", run.tokens.array, with: goldens, bound: Self.visionBound)
        }
    }

    /// Exact: a byte that differs at all is an error.
    private mutating func comparePixels(_ name: String, of pictureName: String, _ goldens: Checkpoint) throws {
        let side = try pictureSide(name, goldens)
        let shape = try goldens.shape(of: pictureName)
        guard shape.count == 3, shape[2] == 3, (1...8_192).contains(shape[0]), (1...8_192).contains(shape[1]),
            goldens.entry(pictureName)?.type == .uint8
        else {
            throw GemmaError.badTensors(
                file: goldens.path, reason: "\(pictureName) is no picture of three bytes a pixel")
        }
        let bytes = try goldens.bytes(pictureName).withUnsafeBytes { [UInt8]($0) }
        let picture = Picture(width: shape[1], height: shape[0], channels: 3, pixels: bytes)
        let pixels = Tensor<Float>(side * side, 3, filledWith: 0)
        GemmaVisionEncoder.pixels(of: picture, resolution: side, into: pixels)
        let wanted = interleaved(try goldens.floats(name, shape: [1, 3, side, side]), channels: 3)
        // The reference multiplies by 1/255, which is off by a rounding.
        let errors = zip(pixels.array, wanted).map { abs($0 - $1) < 1e-6 ? 0 : abs($0 - $1) }
        add(Result(name, errors.contains { !$0.isFinite } ? nil : errors.max(), bound: 0))
    }

    /// Of a golden [1, 3, side, side].
    private func pictureSide(_ name: String, _ goldens: Checkpoint) throws -> Int {
        let shape = try goldens.shape(of: name)
        guard shape.count == 4, (1...GemmaVisionConfig.maxSide).contains(shape[3]) else {
            throw GemmaError.badTensors(file: goldens.path, reason: "\(name) has the shape \(shape)")
        }
        return shape[3]
    }
}

/// [channels, pixels] as [pixels, channels].
private func interleaved(_ planes: [Float], channels: Int) -> [Float] {
    let pixels = planes.count / channels
    return (0..<planes.count).map { planes[$0 % channels * pixels + $0 / channels] }
}

/// [pixels, channels] as [channels, pixels].
private func planes(_ map: Tensor<Float>) -> [Float] {
    let (values, channels) = (map.array, map.columns)
    let pixels = values.count / channels
    return (0..<values.count).map { values[$0 % pixels * channels + $0 / pixels] }
}
