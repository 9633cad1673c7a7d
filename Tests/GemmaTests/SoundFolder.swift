import Foundation
import Gemma
import Kernels
import Signal

/// A model in Hugging Face form that hears, written for a test.
struct SoundFolder {
    let folder: TemporaryFolder
    var path: String { folder.path }
    var model: GemmaModel { get throws { try GemmaModel(path) } }

    /// - Parameters:
    ///   - prefix: Of the names.
    ///   - preprocessor: `preprocessor_config.json`; nil: none.
    ///   - change: What becomes of a tensor; nil: it is left out.
    init(
        prefix: String = "model.", config: [String: Any] = [:], preprocessor: String? = "{}",
        change: (String, [Int]) -> [Int]? = { $1 }
    ) throws {
        folder = try TemporaryFolder()
        let object = try JSONSerialization.jsonObject(with: Data(HashSound.configText().utf8))
        var values = object as? [String: Any] ?? [:]
        var audio = values["audio_config"] as? [String: Any] ?? [:]
        audio.merge(config) { $1 }
        values["audio_config"] = audio
        try JSONSerialization.data(withJSONObject: values).write(to: folder.url("config.json"))
        try Data(SampleTokenizer.json.utf8).write(to: folder.url("tokenizer.json"))
        if let preprocessor { try Data(preprocessor.utf8).write(to: folder.url("preprocessor_config.json")) }
        let recorder = Recorder(source: HashSource(width: SampleModel.width))
        _ = try GemmaAudioWeights(
            config: HashSound.config(), textWidth: SampleModel.width, mel: FrameMelConfiguration(), source: recorder)
        var tensors = try SampleModel().tensors().map { name, shape in
            (name: "\(prefix)language_model.\(name)", shape: shape, values: SampleModel.values(name, shape))
        }
        for (name, shape) in recorder.seen.shapes.sorted(by: { $0.key < $1.key }) {
            guard let stored = change(name, shape) else { continue }
            tensors.append((prefix + name, stored, SampleModel.values(name, stored)))
        }
        try ModelFolder.write(tensors, .bfloat16, to: folder.url("model.safetensors"))
    }

    /// Tokens of a little sound.
    static func tokens(_ weights: GemmaAudioWeights) -> [Float] {
        let samples = Array(HashSound.wave.prefix(12_000))
        return HashSound.encoder(weights).encode(samples.span).array
    }
}
