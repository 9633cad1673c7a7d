import ArgumentParser
import Gemma
import Kernels
import Weights

struct ModelsVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compares a Gemma 3n checkpoint with goldens of the reference.")

    @Argument(help: "The folder of a checkpoint: config.json, model.safetensors, tokenizer.json.")
    var checkpoint: String

    @Argument(help: "The goldens that belong to it: a safetensors file.")
    var goldens: String

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let verification: GemmaVerification
        do {
            verification = try GemmaVerification(
                folder: checkpoint, goldens: Checkpoint.open(goldens),
                pool: ThreadPool(threads: try compute.threadCount))
        } catch {
            throw CommandFailure(describing: error)
        }
        let output = StandardOutput()
        try output.write((json ? try encodeJSON(verification) : text(verification)) + "\n")
        let wrong = verification.results.filter { !$0.ok }.map(\.name)
        if !wrong.isEmpty {
            throw CommandFailure(
                .badData, "\(wrong.joined(separator: ", ")) beyond the bound. Are the goldens of this checkpoint?")
        }
    }

    private func text(_ verification: GemmaVerification) -> String {
        var lines = verification.results.map { result in
            let error = result.maxAbsError.map { "\($0)" } ?? "no number"
            return "\(result.ok ? "ok   " : "WRONG") \(result.name)  \(error) (bound \(result.bound))"
        }
        if !verification.unchecked.isEmpty {
            lines.append("unchecked: \(verification.unchecked.joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }
}
