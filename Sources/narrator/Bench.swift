import ArgumentParser
import Catalog
import Daemon
import Foundation
import Gemma
import Graph
import Kernels
import Stages
import Weights

/// `narrator bench`: how fast a model runs here.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a model on this machine.",
        discussion: """
            A Gemma: a prompt of --prefill tokens and --decode tokens behind it, chosen greedily, never ended. Its first \
            figure is a start: from opening the files to the first token behind 16 tokens. Its encoders \
            come last, where it has them: 10 s of sound as a whole, and a second as it arrives. A Whisper: its encoder on \
            windows of 30 and 10 s and its decoder. A picture model: one picture; a voice detector: a second of sound.
            """)

    @Option(help: "A folder, a file or the name of a pulled model; a pulled Gemma if not given, else whisper-tiny.en.")
    var model: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    @Option(help: "Tokens of the prompt; 1024 if not given.")
    var prefill: Int?

    @Option(help: "Tokens decoded behind it; 256 if not given.")
    var decode: Int?

    @Option(help: "Positions of the cache of keys and values; 4096 if not given.")
    var context: Int?

    @Option(help: "How matrices of a Gemma are kept: q4, q8 or f32; as they are in a quantised file, else q8.")
    var weights: GemmaWeightFormat?

    @Option(
        help:
            "Run a smaller model inside a Gemma: 'e2b' of an E4B, or layers with their widths, '0-19@8192,25-34@8192'.")
    var slice: String?

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        for (name, value) in [("prefill", prefill), ("decode", decode), ("context", context)] {
            guard let value else { continue }
            guard (1...1 << 20).contains(value) else {
                throw ValidationError("--\(name) takes a number from 1 to \(1 << 20)")
            }
        }
        if let context, context < prefillTokens + decodeTokens {
            throw ValidationError(
                "--context \(context) does not hold \(prefillTokens) + \(decodeTokens) tokens: raise it, or lower "
                    + "--prefill or --decode")
        }
    }

    @Flag(help: "Of a Gemma: instead, what the live path of speech takes at 5, 10 and 28 s into an utterance.")
    var live = false

    private var prefillTokens: Int { prefill ?? 1_024 }
    private var decodeTokens: Int { decode ?? 256 }

    func run() throws {
        let output = StandardOutput()
        do {
            let report = try measure()
            try output.write(json ? report.json : Array(report.table.utf8))
        } catch is StandardOutput.Closed {
            return
        } catch {
            throw CommandFailure(describing: error)
        }
    }

    private func measure() throws -> BenchReport {
        let store = ModelStore.standard()
        let name = model ?? Self.defaultModel(of: store)
        let path = try store.resolve(name, weights: weights?.rawValue).path
        let kind = try BenchKind(path)
        try refuseOptions(that: kind)
        let pool = ThreadPool(threads: try compute.threadCount)
        var report = BenchReport()
        report.add("model", "model", .text(name))
        switch kind {
        case .gemma:
            let bench = GemmaBench(
                path: path, weights: weights, slice: slice, prefill: prefillTokens, decode: decodeTokens,
                context: context, pool: pool, common: common)
            if live {
                try bench.measureLive(into: &report)
            } else {
                let gemma = try bench.measure(into: &report)
                report.add("peak_rss_bytes", "peak memory", .bytes(BenchStopwatch.peakResidentBytes))
                try bench.measureEncoders(of: gemma, into: &report)
            }
        case .whisper, .pictures, .voice:
            let bench = SenseBench(
                path: path, kind: kind, decode: decodeTokens, pool: pool, precision: compute.precision, common: common)
            try bench.measure(into: &report)
            report.add("peak_rss_bytes", "peak memory", .bytes(BenchStopwatch.peakResidentBytes))
        }
        report.add("threads", "threads", .count(pool.threads))
        report.add("instruction_set", "instruction set", .text(InstructionSet.active.rawValue))
        return report
    }

    private static func defaultModel(of store: ModelStore) -> String {
        let gemma = store.entries.first { $0.hub != nil && store.state(of: $0) == .installed }
        return gemma?.name ?? "whisper-tiny.en"
    }

    private func refuseOptions(that kind: BenchKind) throws {
        let given = [
            ("--prefill", prefill != nil), ("--context", context != nil), ("--weights", weights != nil),
            ("--slice", slice != nil), ("--live", live), ("--decode", decode != nil && kind != .whisper)
        ]
        guard kind != .gemma, let name = given.first(where: \.1)?.0 else { return }
        throw CommandFailure(.usage, "\(name) says nothing to this model, which is \(kind.description). Leave it out.")
    }
}

/// What sort of model lies at a path.
enum BenchKind {
    case gemma, whisper, pictures, voice

    /// - Throws: `WeightsError` where no model lies that can be read.
    init(_ path: String) throws {
        let holds = { (name: String) in
            FileManager.default.fileExists(atPath: (path as NSString).appendingPathComponent(name))
        }
        if holds("config.json"), !holds("model.bin") {
            self = .gemma
            return
        }
        let checkpoint = try Checkpoint.open(path)
        self =
            switch checkpoint.format {
            case .gguf: .gemma
            case .ctranslate2: .whisper
            case .torch: .pictures
            case .safetensors: checkpoint.entry("stft_conv.weight") == nil ? .gemma : .voice
            }
    }

    var description: String {
        switch self {
        case .gemma: "a Gemma"
        case .whisper: "a Whisper"
        case .pictures: "a picture model"
        case .voice: "a voice detector"
        }
    }
}
