import Capture
import Daemon
import Events
import Gemma
import Graph
import Media
import Speech
import Stages
import Whisper

/// What one file gave.
struct FileResult {
    var language: String
    var text: String
    var segments: [TranscriptSegment]
    var audio: MediaTime
    var compute: MediaTime
    var live: LiveFileRun.Summary?
}

/// Transcribes files one after the other; the model is loaded once.
protocol FileWorker {
    /// Finds and loads the models.
    func prepare() async throws
    func transcribe(_ path: String) async throws -> FileResult
}

/// Whole files, packed into windows.
final class OfflineWorker: FileWorker {
    private let transcriber: FileTranscriber
    private let report: @Sendable (String) -> Void

    init(
        _ environment: StageEnvironment, model: ModelReference, language: String?, translation: String?, usesVAD: Bool
    ) throws {
        report = environment.report
        let recogniser: any Recogniser<[Float]>
        let isGemma = try environment.isGemma(model)
        if isGemma {
            let task =
                translation.map { GemmaSpeechTask.translate(from: language ?? "en", to: $0) }
                ?? .transcribe(language: language ?? "en")
            recogniser = try environment.gemmaClips(model, task: task)
        } else {
            var options = WhisperOptions()
            options.language = language
            options.task = translation == nil ? .transcribe : .translate
            recogniser = try WhisperRecogniser(
                model: try environment.whisper(model), options: options, pool: environment.pool)
        }
        let vad = ModelReference(name: "silero-vad", path: "silero-vad")
        transcriber = FileTranscriber(
            recogniser: recogniser, vad: usesVAD ? try environment.silero(vad) : nil, keepsWhole: isGemma)
    }

    func prepare() {}

    func transcribe(_ path: String) throws -> FileResult {
        let start = MonotonicTime.now
        let transcript = try transcriber.transcribe(path)
        if let remark = transcript.remark { report(remark) }
        return FileResult(
            language: transcript.language, text: transcript.text, segments: transcript.segments,
            audio: transcript.audio, compute: MonotonicTime.now - start)
    }
}

/// The live path.
final class LiveWorker: FileWorker {
    private let run: LiveFileRun
    private let options: LiveFileRun.Options

    init(_ run: LiveFileRun, options: LiveFileRun.Options) {
        self.run = run
        self.options = options
    }

    func prepare() throws { try run.load(options) }

    func transcribe(_ path: String) async throws -> FileResult {
        let start = MonotonicTime.now
        let summary = try await run.transcribe(path, options)
        let compute = MonotonicTime.now - start
        let segments = summary.finals.map {
            TranscriptSegment(
                start: MediaTime(milliseconds: $0.startMs), end: MediaTime(milliseconds: $0.endMs), text: $0.text)
        }
        return FileResult(
            language: summary.finals.first?.language ?? options.language ?? "en", text: summary.text,
            segments: segments, audio: summary.audio, compute: compute, live: summary)
    }
}
