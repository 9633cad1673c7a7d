import Foundation
package import Kernels
package import Signal
import Weights

extension GemmaModel {
    /// Whether it hears: quantised files of others hold the text model alone.
    package var hasAudio: Bool {
        let mark = "audio_tower.subsample_conv_projection.input_proj_linear.weight"
        return config.audio != nil && checkpoint.names.contains { $0 == mark || $0.hasSuffix("." + mark) }
    }

    /// Loads the audio encoder. A quantised file is mapped; of a folder every matrix is made anew.
    ///
    /// - Parameters:
    ///   - format: A quantised one quantises the matrices on the way, to 8 bits in any case; nil: as they are stored,
    ///     which is float32 where no quantised file is.
    ///   - mel: Another front end than the checkpoint's.
    /// - Throws: `GemmaError`, `WeightsError`.
    package func audioWeights(
        format: QuantizedFormat? = nil, mel: FrameMelConfiguration? = nil
    ) throws -> GemmaAudioWeights {
        guard let audio = config.audio, hasAudio else {
            throw GemmaError.badTensors(file: checkpoint.path, reason: "it has no audio encoder")
        }
        let mel = try mel ?? audioFrontEnd(audio)
        func weights(_ source: some GemmaTensorSource) throws -> GemmaAudioWeights {
            try GemmaAudioWeights(config: audio, textWidth: config.text.width, mel: mel, source: source)
        }
        if let container { return try weights(container.tensors) }
        let source = try CheckpointTensors(checkpoint)
        return format?.isQuantized == true ? try weights(QuantizingTensors(source, format: .q8)) : try weights(source)
    }

    /// The front end that the checkpoint's preprocessor describes; the published one if it has none.
    private func audioFrontEnd(_ audio: GemmaAudioConfig) throws -> FrameMelConfiguration {
        let source = preprocessorSource
        return try FrameMelConfiguration(
            preprocessor: preprocessorValues(), melBins: audio.melBins, source: source)
    }

    private var preprocessorSource: String {
        form == .folder ? (path as NSString).appendingPathComponent("preprocessor_config.json") : checkpoint.path
    }

    /// The members of the checkpoint's `preprocessor_config.json`; none if it has none.
    /// - Throws: `GemmaError.badConfig`, `WeightsError`.
    func preprocessorValues() throws -> [String: ConfigValue] {
        if let header = checkpoint.header {
            guard header.contains(GemmaContainer.preprocessorKey) else { return [:] }
            let text = try header.text(GemmaContainer.preprocessorKey)
            return try ConfigReader.values(json: Data(text.utf8), source: preprocessorSource)
        }
        guard FileManager.default.fileExists(atPath: preprocessorSource) else { return [:] }
        return try ConfigReader.values(file: preprocessorSource)
    }
}
