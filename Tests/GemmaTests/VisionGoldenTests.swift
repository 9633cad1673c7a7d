import Foundation
import Gemma
import Kernels
import Signal
import TestSupport
import Testing

/// A tiny picture encoder whose weights are hashes of their names, and what timm made of it (`make_vision_goldens.py`).
enum HashVision {
    static let textWidth = 32
    static let sizes = [64, 128, 192, 80, 72]

    static func config() throws -> GemmaVisionConfig {
        try GemmaVisionConfig(file: HashModel.golden("vision.json").path)
    }

    static func weights(_ format: QuantizedFormat? = nil) throws -> GemmaVisionWeights {
        guard let format else {
            return try GemmaVisionWeights(config: config(), source: HashVisionSource(), textWidth: textWidth)
        }
        return try GemmaVisionWeights(
            config: config(), source: QuantizingTensors(HashVisionSource(), format: format), textWidth: textWidth)
    }

    static func encoder(threads: Int = 1) throws -> GemmaVisionEncoder {
        GemmaVisionEncoder(weights: try weights(), pool: ThreadPool(threads: threads))
    }

    /// Noise of that side, so that it is not resized.
    static func picture(_ side: Int) -> Picture {
        let values = HashWeights.values("picture\(side)", count: side * side * 3, mean: 127.5, amplitude: 127.5)
        return Picture(width: side, height: side, channels: 3, pixels: values.map { UInt8($0) })
    }
}

/// The rules of `spread` in make_vision_goldens.py.
struct HashVisionSource: GemmaTensorSource {
    func floats(_ name: String, shape: [Int]) -> [Float] {
        let (mean, amplitude) = spread(name, shape)
        return HashWeights.values(name, count: shape.reduce(1, *), mean: mean, amplitude: amplitude)
    }

    private func spread(_ name: String, _ shape: [Int]) -> (Double, Double) {
        if name.hasSuffix("layer_scale.gamma") { return (0.4, 0.2) }
        if name.hasSuffix(".bias") { return (0, 0.2) }
        if shape.count == 1 { return (1, 0.3) }
        return (0, 1.75 / Double(shape.dropFirst().reduce(1, *)).squareRoot())
    }
}

/// timm's results on weights that need no file; the bound is that of `models verify`.
struct VisionGoldenTests {
    private static let stride = 211

    /// Every 211th value of a map in the order [channels, pixels].
    private func sample(_ map: Tensor<Float>) -> [Float] {
        let (values, channels) = (map.array, map.columns)
        let pixels = values.count / channels
        return Swift.stride(from: 0, to: values.count, by: Self.stride).map {
            values[$0 % pixels * channels + $0 / pixels]
        }
    }

    @Test(arguments: HashVision.sizes, [1, 3])
    func everyStageEqualsTheReference(side: Int, threads: Int) throws {
        let golden = try GoldenTensors(HashModel.golden("vision.safetensors"))
        let run = try HashVision.encoder(threads: threads).begin(HashVision.picture(side), resolution: side)
        var seen: [String] = []
        run.observe = { part, map in
            seen.append(part)
            #expect(worst(sample(map), golden["\(side).\(part)"].floats) < 1e-4, "\(part)")
        }
        while run.advance() {}
        #expect(seen == ["stem", "stage0", "stage1", "stage2", "stage3", "tower"])
        #expect(worst(run.tokens.array, golden["\(side).tokens"].floats) < 1e-4)
    }

    @Test func idsHaveHardEmbeddings() throws {
        let golden = try GoldenTensors(HashModel.golden("vision.safetensors"))
        let weights = try HashVision.weights()
        let rows = weights.embedder.ids.flatMap { weights.hardEmbedding(id: $0) }
        #expect(weights.embedder.ids == 96..<104)
        #expect(worst(rows, golden["hard"].floats) < 1e-5)
    }

    @Test func aRunWaitsBetweenSteps() throws {
        let encoder = try HashVision.encoder()
        let run = encoder.begin(HashVision.picture(192), resolution: 768)
        var steps = 1
        while run.advance() {
            #expect(!run.isFinished)
            steps += 1
        }
        #expect(steps > 1 && run.isFinished && !run.advance())
        #expect(run.tokens.shape == [16, HashVision.textWidth])
    }

    @Test func memoryIsUsedAgainAndGivenUp() throws {
        let encoder = try HashVision.encoder()
        let first = encoder.encode(HashVision.picture(192), resolution: 192).array
        let held = encoder.scratchByteCount
        let small = encoder.encode(HashVision.picture(64), resolution: 64).array
        #expect(encoder.encode(HashVision.picture(192), resolution: 192).array == first)
        #expect(encoder.scratchByteCount < held + held / 8)
        encoder.releaseMemory()
        #expect(encoder.scratchByteCount == 0)
        #expect(encoder.encode(HashVision.picture(64), resolution: 64).array == small)
    }

    @Test func aPictureThatIsGivenUpLeavesNoTrace() throws {
        let encoder = try HashVision.encoder()
        let expected = encoder.encode(HashVision.picture(80), resolution: 80).array
        let dropped = encoder.begin(HashVision.picture(192), resolution: 768)
        _ = dropped.advance()
        #expect(encoder.encode(HashVision.picture(80), resolution: 80).array == expected)
    }

    @Test func grayIsThreeEqualChannels() throws {
        let encoder = try HashVision.encoder()
        let gray = (0..<50 * 30).map { UInt8($0 * 7 % 256) }
        let colour = gray.flatMap { [$0, $0, $0] }
        let (one, three) = (
            Picture(width: 50, height: 30, channels: 1, pixels: gray),
            Picture(width: 50, height: 30, channels: 3, pixels: colour)
        )
        #expect(encoder.encode(one, resolution: 64).array == encoder.encode(three, resolution: 64).array)
    }

    /// Random networks magnify what rounding does; tokens that have nothing in common differ by 1.4.
    @Test func eightBitsAreClose() throws {
        let encoder = GemmaVisionEncoder(weights: try HashVision.weights(.q8), pool: .single)
        let golden = try GoldenTensors(HashModel.golden("vision.safetensors"))
        let tokens = encoder.encode(HashVision.picture(128), resolution: 128).array
        let wanted = golden["128.tokens"].floats
        let error = zip(tokens, wanted).map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
        let size = wanted.map { $0 * $0 }.reduce(0, +)
        #expect(error > 0 && (error / size).squareRoot() < 0.2)
    }
}
