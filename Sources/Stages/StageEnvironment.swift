package import EfficientNet
package import Events
package import Foundation
package import Gemma
package import Graph
package import Kernels
package import Scenes
package import Silero
package import Speech
import Synchronization
import Weights
package import Whisper

/// Finds the files of a model; the model store stands behind it.
package protocol ModelLocator: Sendable {
    /// The folder or file of a model, by catalogue name or path.
    /// - Throws: an error that says how to get it.
    func locate(_ reference: ModelReference) throws -> String
    /// Where quantised copies of large models are kept; nil: nowhere.
    var copiesFolder: URL? { get }
}

extension ModelLocator {
    package var copiesFolder: URL? { nil }
}

/// What stages are given besides their settings. One for each run of a program.
package final class StageEnvironment: Sendable {
    package let models: any ModelLocator
    package let sink: any EventSink
    package let pool: ThreadPool
    package let precision: Precision
    /// The last utterance number given out; numbers are unique for a run.
    private let lastUtterance = Atomic<Int>(0)
    private let lastScene = Atomic<Int>(0)
    /// The newest picture of every camera.
    package let frames = LatestPictures()
    /// What the devices deliver.
    package let devices = DeviceReports()
    /// What is given up when the machine cannot keep up.
    package let load: LoadGovernor
    /// Pictures that were embedded lately.
    package let seen = SeenFrames()
    /// What was said lately.
    package let heard = RecentSpeech()
    private let lastQuestion = Atomic<Int>(0)
    private let openedGemmas = Mutex<[String: OpenedGemma]>([:])
    private let loaded = Mutex<[String: WhisperModel]>([:])
    private let loadedLabellers = Mutex<[String: EfficientNetModel]>([:])

    /// Says something to whoever reads the log: what somebody should know who wonders about what comes out.
    package let report: @Sendable (String) -> Void
    /// The same, of what is as it should be.
    package let inform: @Sendable (String) -> Void

    package init(
        models: any ModelLocator, sink: any EventSink, pool: ThreadPool, precision: Precision = .int8,
        report: @escaping @Sendable (String) -> Void, inform: (@Sendable (String) -> Void)? = nil
    ) {
        self.models = models
        self.report = report
        self.inform = inform ?? report
        self.sink = sink
        load = LoadGovernor(sink: sink, report: report)
        self.pool = pool
        self.precision = precision
    }

    package func nextUtterance() -> UtteranceID {
        UtteranceID(lastUtterance.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    package func nextScene() -> SceneID { SceneID(lastScene.wrappingAdd(1, ordering: .relaxed).newValue) }

    package func nextQuestion() -> Int { lastQuestion.wrappingAdd(1, ordering: .relaxed).newValue }

    /// The voice activity detector of `reference`.
    package func silero(_ reference: ModelReference) throws -> SileroWeights {
        let file = try models.locate(reference)
        let checkpoint = try Checkpoint.open(file)
        return try SileroWeights { name, shape in try checkpoint.floats(name, shape: shape) }
    }

    /// What is to be said of a model that is not there.
    func notes(on reference: ModelReference) -> [String] {
        do {
            _ = try models.locate(reference)
            return []
        } catch { return ["\(error)"] }
    }

    /// The Whisper of `reference`, loaded once however many stages name it.
    package func whisper(_ reference: ModelReference) throws -> WhisperModel {
        let folder = try models.locate(reference)
        return try loaded.withLock { models in
            if let model = models[folder] { return model }
            let model = try WhisperModel(folder: folder, name: reference.name, precision: precision)
            models[folder] = model
            return model
        }
    }

    /// The EfficientNet of `reference`, loaded once however many stages name it.
    package func efficientNet(_ reference: ModelReference) throws -> EfficientNetModel {
        let file = try models.locate(reference)
        return try loadedLabellers.withLock { models in
            if let model = models[file] { return model }
            let model = try EfficientNetModel(Checkpoint.open(file))
            models[file] = model
            return model
        }
    }

    /// The Gemma of `reference`, opened once however many stages name it.
    package func gemma(_ reference: ModelReference) throws -> OpenedGemma {
        let path = try models.locate(reference)
        let weights = reference.weights.flatMap(GemmaWeightFormat.init(rawValue:))
        return try openedGemmas.withLock { opened in
            let key = "\(path)|\(weights?.rawValue ?? "")"
            if let gemma = opened[key] { return gemma }
            let copies = models.copiesFolder.map { folder in
                OpenedGemma.Copies(
                    folder: folder,
                    willCopy: { [inform] model, format in
                        inform("quantising '\(model.path)' to \(format.rawValue), once; the copy is kept in the store")
                    })
            }
            let gemma = try OpenedGemma(path, name: reference.name, weights: weights, copies: copies, pool: pool)
            opened[key] = gemma
            return gemma
        }
    }

    /// Whether `reference` is a Gemma, and not a model of another family.
    /// - Throws: What says how to get the model.
    package func isGemma(_ reference: ModelReference) throws -> Bool {
        GemmaModel.recognises(try models.locate(reference))
    }

    /// A recogniser for windows of sound.
    package func gemmaClips(_ reference: ModelReference, task: GemmaSpeechTask) throws -> GemmaClipRecogniser {
        let gemma = try gemma(reference)
        return GemmaClipRecogniser(
            try GemmaRecogniser(
                name: gemma.name, decoder: GemmaDecoder(weights: gemma.text(), pool: pool), chat: gemma.chat(),
                options: .whole(task), isFloat: gemma.isFloat, hardEmbedding: gemma.hardEmbedding),
            encoder: GemmaAudioEncoder(weights: try gemma.audio(), pool: pool))
    }

    /// Loads what transcribing with a model takes.
    package func loadSpeech(_ reference: ModelReference) throws {
        if try isGemma(reference) {
            let gemma = try gemma(reference)
            _ = (try gemma.text(), try gemma.audio())
        } else {
            _ = try whisper(reference)
        }
    }
}
