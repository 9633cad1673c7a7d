import Foundation
import Gemma
import Kernels
import Signal
import TestSupport

/// A tiny audio encoder whose weights are hashes of their names, and what transformers made of it
/// (`make_audio_goldens.py`).
struct HashSound: Sendable {
    static let weights = load { $0 }
    static let quantized = load { QuantizingTensors($0, format: .q8) }
    static let textWidth = 96
    static let cutSamples = 11_000

    /// Noise with a silence in it.
    static let wave: [Float] = {
        var wave = HashWeights.values("sound", count: 40_000, mean: 0, amplitude: 0.3)
        for index in 15_000..<19_000 { wave[index] = 0 }
        return wave
    }()

    static func golden() throws -> GoldenTensors { try GoldenTensors(HashModel.golden("sound.safetensors")) }

    static func encoder(_ weights: GemmaAudioWeights = weights, threads: Int = 1) -> GemmaAudioEncoder {
        GemmaAudioEncoder(weights: weights, pool: ThreadPool(threads: threads))
    }

    /// `config.json` of a sample model that hears.
    static func configText() throws -> String {
        let text = try String(contentsOf: HashModel.golden("sound.json"), encoding: .utf8)
        return "\(SampleModel().config(.nested).dropLast()), \(text[text.range(of: "\"audio_config\"")!.lowerBound...])"
    }

    static func config() throws -> GemmaAudioConfig {
        let folder = try TemporaryFolder()
        try Data(configText().utf8).write(to: folder.url("config.json"))
        return try GemmaConfig(folder: folder.path).audio!
    }

    private static func load(_ source: (HashSource) -> some GemmaTensorSource) -> GemmaAudioWeights {
        do {
            let config = try config()
            return try GemmaAudioWeights(
                config: config, textWidth: textWidth, mel: FrameMelConfiguration(),
                source: source(HashSource(width: config.width)))
        } catch { fatalError("\(error)") }
    }
}

/// Feeds `samples` in pieces of so many; as long as there is something to do, does it.
/// - Returns: All tokens, and behind how many samples each came; those of the end count as nil.
func feed(
    _ samples: [Float], into stream: GemmaAudioStream, padding: Int = 0, pieces: () -> Int
) -> (tokens: [Float], times: [Int?]) {
    var (tokens, times, position) = ([Float](), [Int?](), 0)
    func work(_ time: Int?) {
        while stream.advance() {}
        guard let new = stream.takeTokens() else { return }
        tokens += new.array
        times += [Int?](repeating: time, count: new.rows)
    }
    while position < samples.count {
        let piece = Array(samples[position..<min(position + pieces(), samples.count)])
        stream.append(piece.span)
        position += piece.count
        work(position)
    }
    stream.finish(paddingSamples: padding)
    work(nil)
    return (tokens, times)
}
