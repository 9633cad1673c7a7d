import Foundation
import Silero
import TestSupport
import Testing
import Weights

@Suite(.enabled(if: RealData.model("silero-vad") != nil, "needs the model: narrator models pull silero-vad"))
struct SileroVADTests {
    private let weights: SileroWeights

    init() throws {
        let checkpoint = try Checkpoint.open(try #require(RealData.model("silero-vad")))
        weights = try SileroWeights { name, shape in try checkpoint.floats(name, shape: shape) }
    }

    private func probabilities(_ samples: [Float], by vad: SileroVAD) -> [Float] {
        let padded = samples + Array(repeating: 0, count: (512 - samples.count % 512) % 512)
        return stride(from: 0, to: padded.count, by: 512).map { start in
            vad.probability(of: padded.span.extracting(start..<start + 512))
        }
    }

    private func worst(_ samples: [Float], against golden: [Float]) -> Float {
        let ours = probabilities(samples, by: SileroVAD(weights: weights))
        return ours.count == golden.count ? zip(ours, golden).map { abs($0 - $1) }.max() ?? 0 : .infinity
    }

    /// The signal of `make_goldens.py`.
    private var synthetic: [Float] {
        var state: UInt32 = 7
        return (0..<48_000).map { n in
            state = state &* 1_664_525 &+ 1_013_904_223
            let noise = Double(Int(state >> 16) - 32_768) / 1_048_576
            let buzz = n / 6_000 % 2 == 1 ? (Double(n % 131) / 256 - 0.25) * Double(n % 40) / 64 : 0
            return Float(noise + buzz)
        }
    }

    @Test func agreesWithThePublishedModelOnASyntheticSignal() throws {
        #expect(try worst(synthetic, against: floats(at: golden("synthetic.f32"))) < 1e-4)
    }

    @Test(
        .enabled(if: RealData.shared("speech") != nil, "needs ../shared/data"),
        arguments: ["jfk", "ls_1998-15444-0003_n10", "ls_2033-164914-0006_pause"])
    func agreesWithThePublishedModelOnSpeech(clip: String) throws {
        let samples = try wavSamples(at: URL(filePath: try #require(RealData.shared("speech/\(clip).wav"))))
        #expect(try worst(samples, against: floats(at: golden("\(clip).f32"))) < 1e-4)
    }

    @Test func resetStartsAFreshStream() {
        let vad = SileroVAD(weights: weights)
        let first = probabilities(synthetic, by: vad)
        let carriedOn = probabilities(synthetic, by: vad)
        vad.reset()
        #expect(carriedOn != first)
        #expect(probabilities(synthetic, by: vad) == first)
    }

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["SILERO_GOLDENS"] != nil,
            "waits for SILERO_GOLDENS, a folder that make_goldens.py wrote of all clips"))
    func agreesWithThePublishedModelOnEveryClip() throws {
        let folder = URL(filePath: try #require(ProcessInfo.processInfo.environment["SILERO_GOLDENS"]))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".pcm.f32") }
        var worstOfAll: Float = 0
        var chunks = 0
        let clock = ContinuousClock()
        var time = Duration.zero
        for name in names.sorted() {
            let samples = try floats(at: folder.appending(path: name))
            let expected = try floats(at: folder.appending(path: name.replacing(".pcm.", with: ".p.")))
            var difference: Float = 0
            time += clock.measure { difference = worst(samples, against: expected) }
            chunks += expected.count
            #expect(difference < 1e-4, "\(name)")
            worstOfAll = max(worstOfAll, difference)
        }
        print("\(names.count) clips, \(chunks) chunks, max |Δ| \(worstOfAll), \(time / chunks) a chunk")
    }
}

struct SileroWeightsTests {
    @Test func aTensorOfAnotherSizeIsRefused() {
        let expected = SileroError.wrongSize(tensor: "stft_conv.weight", expected: [258, 1, 256], found: 3)
        #expect(throws: expected) { _ = try SileroWeights { _, _ in [1, 2, 3] } }
        #expect("\(expected)".contains("narrator models pull silero-vad"))
    }
}
