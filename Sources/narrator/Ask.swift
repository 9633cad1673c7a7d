import ArgumentParser
import Catalog
import Foundation
import Gemma
import Kernels
import Layers
import Tokenizers

/// `narrator ask`: a question to a language model.
struct Ask: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Ask a language model, without a daemon.")

    @Argument(help: "What to ask.")
    var question: String

    @Option(help: "A Gemma 3n model: a folder in Hugging Face form, a GGUF file, or the name of a pulled model.")
    var model: String?

    @Option(help: "How matrices are kept: q4, q8 or f32; as they are in a quantised file, else q8.")
    var weights: WeightFormat?

    @Option(
        help: "Run a smaller model inside it: 'e2b' of an E4B, or layers with their widths, '0-19@8192,25-34@8192'.")
    var slice: String?

    @Option(help: "Instructions in front of the question.")
    var system: String?

    @Option(help: "Most tokens of the answer.")
    var maxTokens = 1_024

    @Option(help: "0: always the most probable token; 1: as the model was trained.")
    var temperature: Float = 0

    @Option(help: "Choose among so many tokens; 0: all.")
    var topK = 64

    @Option(help: "Choose among the most probable tokens that reach this probability together.")
    var topP: Float = 0.95

    @Option(help: "The same seed gives the same answer; by chance if not given.")
    var seed: UInt64?

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard maxTokens > 0 else { throw ValidationError("--max-tokens takes a number from 1 up") }
        guard temperature >= 0, temperature <= 100 else { throw ValidationError("--temperature takes 0 to 100") }
        guard topK >= 0 else { throw ValidationError("--top-k takes a number from 0 up") }
        guard topP > 0, topP <= 1 else { throw ValidationError("--top-p takes more than 0 up to 1") }
    }

    func run() throws {
        guard let model else {
            throw CommandFailure(
                .unavailable,
                "A running daemon can't be asked yet; that comes with a later version. Name a model: --model FOLDER.")
        }
        let output = StandardOutput()
        do {
            var answer = try begin(ModelStore.standard().resolve(model, weights: weights?.rawValue).path)
            while true {
                let piece = try answer.next()
                if let piece, !piece.isEmpty { try output.write(piece) }
                if answer.end != nil { break }
            }
            try output.write("\n")
            if !common.quiet, let note = Self.note(answer.end, maxTokens) { writeError("narrator: \(note)\n") }
        } catch is StandardOutput.Closed {
            return
        } catch {
            throw CommandFailure(describing: error)
        }
    }

    /// Loads the model and reads the question.
    private func begin(_ path: String) throws -> GemmaAnswer {
        let pool = ThreadPool(threads: try compute.threadCount)
        let loaded = try LoadedGemma(path, weights: weights, slice: slice, pool: pool, isQuiet: common.quiet)
        let config = loaded.model.config
        let chat = try GemmaChat(loaded.model.tokenizer(), config: config)
        let prompt = chat.prompt([GemmaChat.Turn(.user, question)], system: system)
        let decoder = GemmaDecoder(weights: loaded.weights, pool: pool)
        var options = GemmaStateOptions()
        if weights == .f32 { options.storage = .float32 }
        // No more memory than this answer can need.
        options.positions = min(prompt.ids.count + min(maxTokens, config.text.positions), config.text.positions)
        let state = decoder.makeState(options)
        try decoder.prefill(GemmaPrompt(prompt.ids), state: state)
        let sampler = Sampler(
            temperature: temperature, topK: topK, topP: topP, seed: seed ?? UInt64.random(in: 0...UInt64.max))
        return GemmaAnswer(decoder: decoder, state: state, chat: chat, sampler: sampler, limit: maxTokens)
    }

    private static func note(_ end: GemmaAnswer.End?, _ maxTokens: Int) -> String? {
        switch end {
        case .tokenLimit: "the answer was cut after \(maxTokens) tokens; --max-tokens allows more"
        case .contextLimit: "the answer was cut: the model holds no more"
        case .turn, nil: nil
        }
    }
}
