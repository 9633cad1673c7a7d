import ArgumentParser
import Catalog
import Daemon
import Events
import Foundation
import Gemma
import Graph
import Kernels
import Stages

enum TranscriptFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, srt, vtt
}

enum Switch: String, ExpressibleByArgument, CaseIterable {
    case on, off
}

/// `narrator transcribe`: files to text, without a daemon.
struct Transcribe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Transcribe sound files.")

    @Argument(help: "Sound files: WAV, FLAC, OGG, MP3.")
    var files: [String]

    @Option(help: "A Whisper or a Gemma 3n: a name of the catalogue, a folder or a GGUF file.")
    var model = "whisper-tiny.en"

    @Option(help: "What is printed: text, json, srt or vtt.")
    var format = TranscriptFormat.text

    @Option(
        help:
            "The speakers' language as a two-letter code; if not given Whisper detects it, and Gemma takes it for 'en'."
    )
    var language: String?

    @Option(help: ArgumentHelp("Translate into this language; Whisper knows 'en' only.", valueName: "language"))
    var translate: String?

    @Option(
        help:
            "How a Gemma's matrices are kept: q4, q8 or f32; as a quantised file has them, else f32 for a small model and q8."
    )
    var weights: GemmaWeightFormat?

    @Flag(help: "Use the live path: partials and commits, as the daemon does.")
    var stream = false

    @Flag(help: "With --stream: feed it at the pace of a microphone.")
    var realtime = false

    @Option(help: "Transcribe only what the voice activity detector takes for speech: on or off.")
    var vad = Switch.on

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if realtime, !stream { throw ValidationError("--realtime goes with --stream") }
    }

    func run() async throws {
        LogOutput.start(common)
        let worker: any FileWorker
        do {
            let pool = ThreadPool(threads: try compute.threadCount)
            let makeEnvironment = { (sink: any EventSink) in
                StageEnvironment(
                    models: StoreLocator(.standard()), sink: sink, pool: pool, precision: compute.precision,
                    report: { report($0) })
            }
            let reference = ModelReference(name: model, weights: weights?.rawValue, path: model)
            if let translate, translate.lowercased() != "en", try !makeEnvironment(NoEvents()).isGemma(reference) {
                throw CommandFailure(.usage, "Whisper translates into English only: --translate en")
            }
            worker =
                stream
                ? LiveWorker(LiveFileRun(makeEnvironment), options: liveOptions)
                : try OfflineWorker(
                    makeEnvironment(NoEvents()), model: reference, language: language, translation: translate,
                    usesVAD: vad == .on)
            try await worker.prepare()
        } catch {
            throw CommandFailure(describing: error)
        }
        let printer = TranscriptPrinter(format: format, model: model)
        var firstFailure: ExitStatus?
        for file in files {
            do {
                try printer.show(try await worker.transcribe(file), of: file)
            } catch is StandardOutput.Closed {
                return
            } catch {
                let failure = CommandFailure(describing: error)
                try printer.show(failure, of: file)
                firstFailure = firstFailure ?? failure.status
            }
        }
        if let firstFailure { throw CommandFailure(firstFailure, "") }
    }

    private var liveOptions: LiveFileRun.Options {
        var options = LiveFileRun.Options(model: model)
        options.language = language
        options.translation = translate
        options.isPaced = realtime
        options.weights = weights?.rawValue
        options.usesVAD = vad == .on
        return options
    }

    private func report(_ text: String) {
        if !common.quiet { FileHandle.standardError.write(Data("narrator: \(text)\n".utf8)) }
    }
}

/// Drops events: offline there are none.
struct NoEvents: EventSink {
    func emit(_ body: EventBody, src: String) {}
}
