import ArgumentParser
import Capture
import Catalog
import Daemon
import Foundation
import Gemma
import Graph
import Kernels
import Media
import Stages

enum DescriptionFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

/// `narrator describe`: pictures to text, without a daemon.
struct Describe: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say what pictures show.")

    @Argument(help: "Pictures: JPEG files.")
    var images: [String]

    @Option(
        help:
            "A picture model: a name of the catalogue, a folder or a GGUF file; a Gemma where one is in the store, else efficientnet-lite0."
    )
    var model: String?

    @Option(help: "What to ask of each picture; for models that read.")
    var prompt: String?

    @Option(help: "The side of what the model sees, 256, 512 or 768; for models that can choose.")
    var resolution: Int?

    @Option(
        help:
            "How a Gemma's matrices are kept: q4, q8 or f32; as a quantised file has them, else f32 for a small model and q8."
    )
    var weights: GemmaWeightFormat?

    @Option(help: "What is printed: text or json.")
    var format = DescriptionFormat.text

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let resolution, ![256, 512, 768].contains(resolution) {
            throw ValidationError("--resolution takes 256, 512 or 768")
        }
    }

    func run() throws {
        LogOutput.start(common)
        let describer: any PictureDescriber
        let model = self.model ?? Self.standardModel
        do {
            let environment = StageEnvironment(
                models: StoreLocator(.standard()), sink: NoEvents(), pool: ThreadPool(threads: try compute.threadCount),
                precision: compute.precision, report: { report($0) })
            describer = try makeDescriber(
                environment, ModelReference(name: model, weights: weights?.rawValue, path: model),
                DescriptionRequest(prompt: prompt, resolution: resolution), report: { report($0) })
        } catch {
            throw CommandFailure(describing: error)
        }
        let printer = DescriptionPrinter(format: format, model: model, namesFiles: images.count > 1)
        var firstFailure: ExitStatus?
        for image in images {
            do {
                let start = MonotonicTime.now
                let description = try describer.describe(try readPicture(image))
                try printer.show(description, of: image, compute: MonotonicTime.now - start)
            } catch is StandardOutput.Closed {
                return
            } catch {
                let failure = CommandFailure(describing: error)
                try printer.show(failure, of: image)
                firstFailure = firstFailure ?? failure.status
            }
        }
        if let firstFailure { throw CommandFailure(firstFailure, "") }
    }

    /// Gemma where one is in the store, the larger first.
    private static var standardModel: String {
        let store = ModelStore.standard()
        let gemmas = store.entries.filter { $0.name.hasPrefix("gemma-3n") && store.state(of: $0) == .installed }
        return gemmas.map(\.name).max() ?? "efficientnet-lite0"
    }

    private func report(_ text: String) {
        if !common.quiet { FileHandle.standardError.write(Data("narrator: \(text)\n".utf8)) }
    }
}

/// The bytes of a picture file.
/// - Throws: `CommandFailure`, `CaptureError`.
func readPicture(_ image: String) throws -> [UInt8] {
    do throws(CaptureError) {
        return try PhotoFile.read(image)
    } catch .badPictures(let path, let reason) {
        throw CommandFailure(.badData, "Cannot read '\(path)' as a picture: \(reason). Name JPEG files.")
    }
}
