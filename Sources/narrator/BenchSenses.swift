import Foundation
import Graph
import Kernels
import Daemon
import Catalog
import EfficientNet
import Media
import Scenes
import Signal
import Silero
import Stages
import Whisper

/// Figures of the models that hear and see, loaded as the daemon loads them.
struct SenseBench {
    private static let runs = 5

    let path: String
    let kind: BenchKind
    let decode: Int
    let pool: ThreadPool
    let precision: Precision
    let common: CommonOptions

    func measure(into report: inout BenchReport) throws {
        let environment = StageEnvironment(
            models: StoreLocator(.standard()), sink: NoEvents(), pool: pool, precision: precision, report: { _ in })
        let reference = ModelReference(name: path, path: path)
        switch kind {
        case .whisper: try measureWhisper(environment, reference, &report)
        case .pictures: try measurePictures(environment, reference, &report)
        case .voice: try measureVoice(environment, reference, &report)
        case .gemma: preconditionFailure("a Gemma is measured by GemmaBench")
        }
    }

    private func measureWhisper(
        _ environment: StageEnvironment, _ reference: ModelReference, _ report: inout BenchReport
    ) throws {
        let (loadSeconds, model) = try BenchStopwatch.time { try environment.whisper(reference) }
        addLoad("\(precision)", loadSeconds, &report)
        let halves = WhisperHalves(model: model, pool: pool)
        let rate = model.configuration.sampleRateHz
        let whole = model.configuration.audioPositions * model.configuration.positionSamples
        let sound = tone(samples: whole)
        let short = Array(sound.prefix(10 * rate))
        let encode = BenchStopwatch.median(of: Self.runs) { halves.encode(short.span) }
        report.add("audio_encoder_10s_window_s", "encoder, window of 10 s", .seconds(encode))
        let encodeWhole = BenchStopwatch.median(of: Self.runs) { halves.encode(sound.span) }
        report.add("audio_encoder_30s_window_s", "encoder, window of 30 s", .seconds(encodeWhole))
        report.add(
            "audio_encoder_s_per_s", "encoder, a second of sound",
            .seconds(encodeWhole * Double(rate) / Double(whole)))
        var token = 0
        let prompt = BenchStopwatch.median(of: Self.runs) { token = halves.begin() }
        report.add("time_to_first_token_s", "30 s of sound to first token", .seconds(encodeWhole + prompt))
        let count = min(decode, halves.maxTokens - halves.promptTokens)
        if count < decode, !common.quiet {
            writeError("narrator: the model has \(halves.maxTokens) positions: \(count) tokens are decoded.\n")
        }
        let decodeSeconds = BenchStopwatch.time {
            for _ in 0..<count { token = halves.step(token) }
        }.seconds
        report.add("decode_tokens", "decoded tokens", .count(count))
        report.add("decode_tokens_per_s", "decode", .rate(Double(count) / decodeSeconds, unit: "tokens/s"))
    }

    private func measurePictures(
        _ environment: StageEnvironment, _ reference: ModelReference, _ report: inout BenchReport
    ) throws {
        let (loadSeconds, model) = try BenchStopwatch.time { try environment.efficientNet(reference) }
        addLoad("f32", loadSeconds, &report)
        let run = EfficientNetRun(model, pool: pool)
        let side = model.inputSize
        let pixels = Tensor(tone(samples: side * side * 3), shape: side * side, 3)
        let seconds = BenchStopwatch.median(of: 2 * Self.runs) {
            run.begin(pixels)
            while !run.step() {}
        }
        report.add("vision_encoder_s", "a picture of \(side) x \(side)", .seconds(seconds))
        let frames = 300
        let gate = BenchStopwatch.median(of: Self.runs) { passGate(frames: frames) }
        report.add("scene_gate_s", "scene gate, a frame of 720p", .seconds(gate / Double(frames)))
    }

    /// What decides whether a frame is worth a model: fed with the eighth of 1280 x 720 of a camera that pans by a pixel a frame.
    private func passGate(frames: Int) {
        let (width, height) = (160, 90)
        let comparison = ViewComparison()
        var noise = NoiseLevel()
        var gate = SceneGate<LumaSketch>(
            SceneGateSettings(), change: comparison.change, isCut: { comparison.isCut(from: $0, to: $1) })
        let texture = (0..<width * height).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 2_654_435_761 >> 13) }
        for frame in 0..<frames {
            let shifted = Array(texture[(frame % width)...] + texture[..<(frame % width)])
            var sketch = LumaSketch(Picture(width: width, height: height, channels: 1, pixels: shifted))
            noise.measure(&sketch, comparison)
            _ = gate.advance(to: MediaTime(milliseconds: frame * 1_000 / 30), sketch)
        }
    }

    private func measureVoice(
        _ environment: StageEnvironment, _ reference: ModelReference, _ report: inout BenchReport
    ) throws {
        let (loadSeconds, weights) = try BenchStopwatch.time { try environment.silero(reference) }
        addLoad("f32", loadSeconds, &report)
        let vad = SileroVAD(weights: weights)
        let chunks = 320  // 10.24 s
        let chunk = tone(samples: SileroVAD.chunkSamples)
        let seconds = BenchStopwatch.median(of: Self.runs) {
            for _ in 0..<chunks { _ = vad.probability(of: chunk.span) }
        }
        let sound = Double(chunks * SileroVAD.chunkSamples) / Double(SileroVAD.sampleRateHz)
        report.add("audio_encoder_s_per_s", "a second of sound, on one thread", .seconds(seconds / sound))
    }

    private func addLoad(_ weights: String, _ seconds: Double, _ report: inout BenchReport) {
        report.add("weights", "weights", .text(weights))
        report.add("model_bytes", "model on disk", .bytes(bytesOnDisk))
        report.add("load_s", "load", .seconds(seconds))
    }

    /// Of the file, or of the files in the folder.
    private var bytesOnDisk: Int {
        let files = FileManager.default
        let names = (try? files.contentsOfDirectory(atPath: path)) ?? [""]
        return names.reduce(0) { sum, name in
            let file = (path as NSString).appendingPathComponent(name)
            return sum + ((try? files.attributesOfItem(atPath: file)[.size] as? Int ?? 0) ?? 0)
        }
    }

    /// Something to hear or see: what it is has no part in how long it takes.
    private func tone(samples: Int) -> [Float] { (0..<samples).map { 0.1 * sin(Float($0) * 0.1) } }
}
