import ArgumentParser
import Catalog
import Foundation
import Gemma
import Kernels
import Layers
import Signal
import Tokenizers

/// `narrator ask`: a question to the running daemon, or to a language model without one.
struct Ask: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask the running daemon about what it sees and hears, or a language model without a daemon.",
        discussion: """
            Without --model the running daemon answers, about the newest picture and what was said in the last minute:
              narrator ask "Is the door open?"
              narrator ask --frame 12 "What was on the table?"      the picture of scene 12
              narrator ask --frame none --speech-s 300 "What was agreed?"
            With --model a Gemma 3n answers here:
              narrator ask --model gemma-3n-e2b --image photo.jpg "What is this?"
            """)

    @Argument(help: "What to ask.")
    var question: String

    @Option(help: "A Gemma 3n model: a folder in Hugging Face form, a GGUF file, or the name of a pulled model.")
    var model: String?

    @Option(help: "With --model: a JPEG file that the question is about.")
    var image: String?

    @Option(help: "Of a daemon: the picture it is about, 'now', 'none' or the number of a scene.")
    var frame: String?

    @Option(help: "Of a daemon: so many seconds of what was said are looked at, 0 to 600; 60 if not given.")
    var speechS: Int?

    @Option(help: "How matrices are kept: q4, q8 or f32; as they are in a quantised file, else q8.")
    var weights: GemmaWeightFormat?

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
    @OptionGroup var client: ClientOptions
    private var common: CommonOptions { client.common }

    func validate() throws {
        if model == nil, image != nil {
            throw ValidationError("--image goes with --model: a daemon has its own camera")
        }
        if model != nil, frame != nil || speechS != nil {
            throw ValidationError("--frame and --speech-s are for a daemon: leave --model out")
        }
        if let frame, frame != "now", frame != "none", Int(frame) == nil {
            throw ValidationError("--frame takes now, none or the number of a scene")
        }
        guard maxTokens > 0 else { throw ValidationError("--max-tokens takes a number from 1 up") }
        guard temperature >= 0, temperature <= 100 else { throw ValidationError("--temperature takes 0 to 100") }
        guard topK >= 0 else { throw ValidationError("--top-k takes a number from 0 up") }
        guard topP > 0, topP <= 1 else { throw ValidationError("--top-p takes more than 0 up to 1") }
    }

    func run() throws {
        let output = StandardOutput()
        do {
            guard let model else { return try askDaemon(output) }
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
        let gemma = try OpenedGemma(path, weights: weights, pool: pool, isQuiet: common.quiet)
        let config = gemma.model.config
        let chat = try gemma.chat()
        let picture = try image.map { try tokens(of: $0, gemma, pool: pool) }
        let parts = (picture.map { [GemmaChat.Part.image(tokens: $0.rows)] } ?? []) + [.text(question)]
        let prompt = chat.prompt([GemmaChat.Turn(.user, parts)], system: system)
        let decoder = GemmaDecoder(weights: try gemma.text(slice: slice), pool: pool)
        var options = GemmaStateOptions()
        if gemma.isFloat { options.storage = .float32 }
        // No more memory than this answer can need.
        options.positions = min(prompt.ids.count + min(maxTokens, config.text.positions), config.text.positions)
        let state = decoder.makeState(options)
        let input = try GemmaPrompt(
            prompt.ids, config: config, softTokens: picture.map { [$0] } ?? [], hardEmbedding: gemma.hardEmbedding)
        try decoder.prefill(input, state: state)
        let sampler = Sampler(
            temperature: temperature, topK: topK, topP: topP, seed: seed ?? UInt64.random(in: 0...UInt64.max))
        return GemmaAnswer(decoder: decoder, state: state, chat: chat, sampler: sampler, limit: maxTokens)
    }

    private func tokens(of image: String, _ gemma: OpenedGemma, pool: ThreadPool) throws -> Tensor<Float> {
        let decoded = try PictureDecoder().decode(jpeg: readPicture(image), as: .rgb)
        let encoder = GemmaVisionEncoder(weights: try gemma.vision(), pool: pool)
        return encoder.encode(decoded.picture, resolution: try gemma.model.pictureSide())
    }

    private static func note(_ end: GemmaAnswer.End?, _ maxTokens: Int) -> String? {
        switch end {
        case .tokenLimit: "the answer was cut after \(maxTokens) tokens; --max-tokens allows more"
        case .contextLimit: "the answer was cut: the model holds no more"
        case .turn, nil: nil
        }
    }
}
