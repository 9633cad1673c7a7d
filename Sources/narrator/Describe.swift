import ArgumentParser
import Capture
import Foundation
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

    @Option(help: "A picture model: a name of the catalogue or a folder.")
    var model = "efficientnet-lite0"

    @Option(help: "What to ask of each picture; for models that read.")
    var prompt: String?

    @Option(help: "The side of what the model sees, 256, 512 or 768; for models that can choose.")
    var resolution: Int?

    @Option(help: "What is printed: text or json.")
    var format = DescriptionFormat.text

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let resolution, ![256, 512, 768].contains(resolution) {
            throw ValidationError("--resolution takes 256, 512 or 768")
        }
        // A labeller knows classes of things and one size of picture.
        if prompt != nil {
            throw ValidationError("--prompt needs a model that takes questions; labellers do not: leave it out")
        }
        if resolution != nil {
            throw ValidationError("--resolution needs a model that can choose it; labellers cannot: leave it out")
        }
    }

    func run() throws {
        LogOutput.start(common)
        let describer: any PictureDescriber
        do {
            describer = try makeDescriber(
                ModelReference(name: model, path: model), pool: ThreadPool(threads: try compute.threadCount),
                report: { report($0) })
        } catch {
            throw CommandFailure(describing: error)
        }
        let printer = DescriptionPrinter(format: format, model: model, namesFiles: images.count > 1)
        var firstFailure: ExitStatus?
        for image in images {
            do {
                let start = MonotonicTime.now
                let description = try describer.describe(try read(image))
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

    private func report(_ text: String) {
        if !common.quiet { FileHandle.standardError.write(Data("narrator: \(text)\n".utf8)) }
    }

    private func read(_ image: String) throws -> [UInt8] {
        do throws(CaptureError) {
            return try PhotoFile.read(image)
        } catch .badPictures(let path, let reason) {
            throw CommandFailure(.badData, "Cannot read '\(path)' as a picture: \(reason). Name JPEG files.")
        }
    }
}
