package import Foundation
package import Kernels
import Synchronization
import Tokenizers

/// A Gemma as programs use it: its files, and of its weights what was asked for so far, each loaded once however many share
/// it.
package final class OpenedGemma: Sendable {
    package let model: GemmaModel
    /// What users call it.
    package let name: String
    private let format: GemmaWeightFormat?
    private let parts = Mutex(Parts())

    /// Numbers of the largest model that is not worth quantising.
    private static let smallModel = 64 << 20

    private struct Parts {
        var texts: [String: GemmaTextWeights] = [:]
        var audio: GemmaAudioWeights?
        var vision: GemmaVisionWeights?
        var chat: GemmaChat?
    }

    /// Where quantised copies of large models are kept, and who is told of the work.
    package struct Copies {
        package var folder: URL
        package var willCopy: (_ model: GemmaModel, _ format: QuantizedFormat) -> Void
        package var progress: (GemmaQuantizer.Progress) throws -> Void

        package init(
            folder: URL, willCopy: @escaping (GemmaModel, QuantizedFormat) -> Void = { _, _ in },
            progress: @escaping (GemmaQuantizer.Progress) throws -> Void = { _ in }
        ) {
            (self.folder, self.willCopy, self.progress) = (folder, willCopy, progress)
        }
    }

    /// - Parameters:
    ///   - weights: Nil: as a quantised file has them, else f32 for a small model and q8.
    ///   - copies: A large model that is not quantised yet is so once; nil: it is quantised in memory.
    /// - Throws: `GemmaError`, `WeightsError`, `TokenizerError`.
    package init(
        _ path: String, name: String, weights: GemmaWeightFormat?, copies: Copies? = nil, pool: ThreadPool
    ) throws {
        self.name = name
        let given = try GemmaModel(path)
        if given.form == .container {
            guard weights != .f32 else { throw GemmaError.isQuantized(file: path) }
            (model, format) = (given, weights)
            return
        }
        format = weights ?? (given.parameters <= Self.smallModel ? .f32 : .q8)
        guard let wanted = format?.quantized, let copies else {
            model = given
            return
        }
        model = try QuantizedCopies(folder: copies.folder).open(
            given, format: wanted, pool: pool, willCopy: { copies.willCopy(given, wanted) },
            progress: copies.progress)
    }

    /// How its matrices are kept; of a quantised file as that has them: the encoders of a q4 file are q8.
    package var storedFormat: String {
        if model.form == .container { return model.storedFormats.contains(.q4) ? "q4" : "q8" }
        return format?.rawValue ?? "f32"
    }

    /// Keys and values in 32 bits go with weights in 32.
    package var isFloat: Bool { format == .f32 }

    /// - Parameter slice: In the words of `GemmaSlice`; nil: the whole model.
    /// - Throws: `GemmaError`, `WeightsError`.
    package func text(slice: String? = nil) throws -> GemmaTextWeights {
        try load({ $0.texts[slice ?? ""] }, { $0.texts[slice ?? ""] = $1 }) {
            try model.textWeights(
                format: format?.quantized, slice: slice.map { try GemmaSlice($0, of: model.config.text) })
        }
    }

    /// - Throws: `GemmaError`, `WeightsError`.
    package func audio() throws -> GemmaAudioWeights {
        try load(\.audio, { $0.audio = $1 }) { try model.audioWeights(format: encoderFormat) }
    }

    /// - Throws: `GemmaError`, `WeightsError`.
    package func vision() throws -> GemmaVisionWeights {
        try load(\.vision, { $0.vision = $1 }) { try model.visionWeights(format: encoderFormat) }
    }

    /// - Throws: `GemmaError`, `TokenizerError`, `WeightsError`.
    package func chat() throws -> GemmaChat {
        try load(\.chat, { $0.chat = $1 }) { try GemmaChat(model.tokenizer(), config: model.config) }
    }

    /// The embedding of an id behind the text vocabulary, such as `<end_of_audio>`: [text width].
    /// - Throws: `GemmaError.badToken`; as `audio` and `vision`.
    package func hardEmbedding(_ id: Int) throws -> [Float] {
        if model.hasAudio {
            let audio = try audio()
            if audio.hardIDs.contains(id) { return audio.hardEmbedding(id: id) }
        }
        if model.hasVision {
            let vision = try vision()
            if vision.hardIDs.contains(id) { return vision.hardEmbedding(id: id) }
        }
        throw GemmaError.badToken(id: id, vocabulary: model.config.text.textVocabulary)
    }

    private var encoderFormat: QuantizedFormat? { format?.quantized == nil ? nil : .q8 }

    /// A part that is there, or is loaded now; two who ask at once both get the same.
    private func load<Part>(
        _ get: (Parts) -> Part?, _ set: (inout Parts, Part) -> Void, _ make: () throws -> Part
    ) throws -> Part {
        try parts.withLock { parts in
            if let part = get(parts) { return part }
            let part = try make()
            set(&parts, part)
            return part
        }
    }
}
