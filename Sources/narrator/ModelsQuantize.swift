import ArgumentParser
import Catalog
import Foundation
import Gemma
import Kernels

struct ModelsQuantize: AsyncParsableCommand {
    enum Target: String, ExpressibleByArgument, CaseIterable {
        case q8, q4

        var format: QuantizedFormat { self == .q4 ? .q4 : .q8 }
    }

    static let configuration = CommandConfiguration(
        commandName: "quantize", abstract: "Makes one quantised file of a Gemma 3n model.",
        discussion: """
            q4 keeps text, head and per-layer embeddings in 4 bits, audio and vision in 8; q8 keeps all in 8. The file is \
            used where it lies: opening it takes no time and no second copy.
            """)

    @Argument(help: "A folder with config.json and safetensors, a GGUF file, or the name of a pulled model.")
    var source: String

    @Option(help: "q8 or q4.")
    var to: Target

    @Option(name: .shortAndLong, help: "The file to make.")
    var output: String

    @Option(
        help: ArgumentHelp(
            "Keep a smaller model: 'e2b' of an E4B, or layers with their widths, '0-19@8192,25-34@8192'.",
            valueName: "slice"))
    var slice: String?

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        do {
            let model = try GemmaModel(ModelStore.standard().resolve(source).path)
            let slice = try slice.map { text in try GemmaSlice(text, of: model.config.text) }
            let quantizer = try GemmaQuantizer(model, to: to.format, slice: slice)
            if !quantizer.hasTokenizer, !common.quiet {
                writeError("narrator: '\(source)' has no tokenizer.json: the file will understand no text.\n")
            }
            let pool = ThreadPool(threads: try compute.threadCount)
            let isQuiet = common.quiet
            let file = (output as NSString).expandingTildeInPath
            try Self.refuse(replacing: file)
            try await cancelledByInterrupt {
                try quantizer.write(to: file, pool: pool, isQuiet: isQuiet)
            }
            if !common.quiet {
                let made = try GemmaModel(file)
                writeError(
                    "\(output): \(formatBytes(made.byteCount)), \(model.parameters / 1_000_000) million numbers.\n")
            }
        } catch is CancellationError {
            throw CommandFailure(.internalFault, "Interrupted; nothing was written.")
        } catch {
            throw CommandFailure(describing: error)
        }
    }
    /// A file is replaced when the new one is complete; a device or a folder must not be.
    private static func refuse(replacing path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
        throw CommandFailure(.notPermitted, "'\(path)' is there and is no file. Name a file to make.")
    }
}

extension GemmaQuantizer {
    /// Writes with progress on the terminal, until the task is cancelled.
    func write(to path: String, pool: ThreadPool, isQuiet: Bool) throws {
        var progress = WorkProgress(quiet: isQuiet)
        defer { progress.clear() }
        try write(to: path, pool: pool) { step in
            try Task.checkCancellation()
            progress.draw(step.tensor, step.bytesDone, step.bytes)
        }
    }
}
