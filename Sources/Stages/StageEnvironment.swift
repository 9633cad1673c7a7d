package import EfficientNet
package import Events
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
    private let loaded = Mutex<[String: WhisperModel]>([:])
    private let loadedLabellers = Mutex<[String: EfficientNetModel]>([:])

    /// Says something to whoever reads the log.
    package let report: @Sendable (String) -> Void

    package init(
        models: any ModelLocator, sink: any EventSink, pool: ThreadPool, precision: Precision = .int8,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.models = models
        self.report = report
        self.sink = sink
        self.pool = pool
        self.precision = precision
    }

    package func nextUtterance() -> UtteranceID {
        UtteranceID(lastUtterance.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    package func nextScene() -> SceneID { SceneID(lastScene.wrappingAdd(1, ordering: .relaxed).newValue) }

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
}
