import Foundation
import Gemma
import Kernels
import Layers
import Media
import Signal
import TestSupport
import Testing
import Weights

/// The small Gemma in `samples` beside transformers, on two clips and two pictures.
@Suite(.enabled(if: RealData.shared("../nano/goldens.safetensors") != nil, "needs ../shared/nano"))
struct NanoGoldenTests {
    private let root: URL
    private let goldens: Checkpoint
    private let gemma: OpenedGemma

    init() throws {
        root = URL(fileURLWithPath: try #require(RealData.shared("../nano")))
        goldens = try Checkpoint.open(root.appendingPathComponent("goldens.safetensors").path)
        let path = RealData.root.appendingPathComponent("samples/gemma-3n-nano").path
        gemma = try OpenedGemma(path, name: "nano", weights: .f32, pool: .single)
    }

    private func golden(_ name: String) throws -> [Float] {
        try goldens.floats(name, shape: goldens.shape(of: name))
    }

    private func integers(_ name: String) throws -> [Int] {
        try goldens.bytes(name).withUnsafeBytes { $0.bindMemory(to: Int64.self).map(Int.init) }
    }

    private func check(answerTo file: String, softTokens: Tensor<Float>) throws {
        #expect(worst(softTokens.array, try golden("\(file)/soft_tokens")) < 1e-4)
        let decoder = GemmaDecoder(weights: try gemma.text(), pool: .single)
        let state = makeState(decoder, storage: .float32)
        let prompt = try GemmaPrompt(
            integers("\(file)/prompt_ids"), config: gemma.model.config, softTokens: [softTokens],
            hardEmbedding: gemma.hardEmbedding)
        try decoder.prefill(prompt, state: state)
        let (wanted, ids) = (try golden("\(file)/step_logits"), try integers("\(file)/greedy_ids"))
        let stride = wanted.count / ids.count  // soft tokens have logits there, which are never chosen
        for (step, id) in ids.enumerated() {
            let logits = Array(state.logits.array.prefix(state.logits.columns))
            let row = wanted[step * stride..<step * stride + logits.count]
            #expect(worst(logits, Array(row)) < 1e-3, "\(file), step \(step)")
            #expect(logits.indices.max { logits[$0] < logits[$1] } == id, "\(file), step \(step)")
            _ = try decoder.step(id, state: state)
        }
    }

    @Test(arguments: ["clips/digits-03.wav", "clips/digits-07.wav"])
    func aClipIsHeardAsTheReferenceHearsIt(file: String) throws {
        let weights = try gemma.audio()
        let samples = try wavSamples(at: root.appendingPathComponent(file))
        let padding = (128 - samples.count % 128) % 128  // as the reference's preprocessor fills up
        var mel = FrameMel(configuration: weights.mel)
        mel.append(samples.span)
        mel.finish(paddingSamples: padding)
        let rows = Tensor<Float>(mel.framesReady, weights.mel.melBins, filledWith: 0)
        var target = rows.mutableSpan
        mel.take(mel.framesReady, into: &target)
        let reference = try golden("\(file)/mel")
        #expect(worst(rows.array, reference) < 1e-4)
        let encoder = GemmaAudioEncoder(weights: weights, pool: .single)
        try check(answerTo: file, softTokens: encoder.encode(samples.span, paddingSamples: padding))
    }

    @Test(arguments: ["pictures/picture-01.jpg", "pictures/picture-09.jpg"])
    func aPictureIsSeenAsTheReferenceSeesIt(file: String) throws {
        let bytes = [UInt8](try Data(contentsOf: root.appendingPathComponent(file)))
        let frame = VideoFrame(
            time: .zero, size: PixelSize(width: 256, height: 256), format: .mjpeg, bytesPerRow: 0, bytes: bytes)
        let picture = try PictureDecoder().decode(frame, as: .rgb).picture
        let encoder = GemmaVisionEncoder(weights: try gemma.vision(), pool: .single)
        try check(answerTo: file, softTokens: encoder.encode(picture, resolution: 256))
    }
}
