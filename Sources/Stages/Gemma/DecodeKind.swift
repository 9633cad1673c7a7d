import Gemma
import Graph
import Media
import Speech

/// What comes out of `decode`: transcripts, scenes and answers.
enum Told {
    static let port = PortType("what is told")
}

extension StageKind {
    /// `decode { model, task, prompt, language, to, partial_ms, max_tokens, changes_only, slice, shed_slice }`
    static func decode(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "decode", summary: "Gemma: soft tokens of speech or pictures to text.",
            inputs: [SpokenPiece<HeardSound>.port, SeenFrame.port], output: Told.port,
            settings: [
                .required("model", .model, "the Gemma 3n model that made the soft tokens"),
                .optional(
                    "task", .choice(DecodeTask.allCases.map(\.rawValue)),
                    default: .string(DecodeTask.transcribe.rawValue),
                    "what is wanted of it; describe is for pictures, the others for speech"),
                .optional("prompt", .string, "what the model is told to do, in place of the task's own words"),
                .optional("language", .string, default: .string("en"), "what is spoken, as a two-letter code"),
                .optional("to", .string, default: .string("en"), "what translate translates into"),
                .optional(
                    "partial_ms", .milliseconds(0...60_000), default: .duration(MediaTime(milliseconds: 500)),
                    live: true, "stream time between partials; 0: finals only"),
                .optional("max_tokens", .integer(1...4_096), default: .integer(64), "most tokens of a description"),
                .optional(
                    "changes_only", .boolean, default: .boolean(false),
                    "descriptions behind the first say what is different from the one before"),
                .optional("slice", .string, "a smaller model inside it: e2b, or layers with their widths"),
                .optional("shed_slice", .string, "the same, for utterances that begin while the machine cannot keep up")
            ],
            notes: { environment.notes(on: $0.model("model")) },
            check: { settings, inputs in DecodeTask.problems(settings, inputs) },
            make: { settings, context in
                let gemma = try environment.gemma(settings.model("model"))
                let task = DecodeTask(rawValue: settings.string("task"))!
                if task == .describe {
                    let writer = try GemmaWriter(
                        gemma, slice: settings["slice"]?.string, positions: DescribeWorker.positions,
                        pool: environment.pool)
                    return .worker(
                        DescribeWorker(
                            writer, prompt: settings["prompt"]?.string ?? GemmaWording.describe,
                            limit: settings.integer("max_tokens"),
                            tellsChangesOnly: settings.boolean("changes_only")))
                }
                return .worker(try transcriber(gemma, task, settings, context, environment))
            })
    }

    private static func transcriber(
        _ gemma: OpenedGemma, _ task: DecodeTask, _ settings: StageSettings, _ context: StageContext,
        _ environment: StageEnvironment
    ) throws -> any Worker {
        var options = GemmaRecogniser.Options()
        options.task = task.speech(settings)
        func recogniser(_ slice: String?) throws -> GemmaRecogniser {
            let decoder = GemmaDecoder(weights: try gemma.text(slice: slice), pool: environment.pool)
            return try GemmaRecogniser(
                name: gemma.name, decoder: decoder, chat: gemma.chat(), options: options, isFloat: gemma.isFloat,
                hardEmbedding: gemma.hardEmbedding)
        }
        let usual = try recogniser(settings["slice"]?.string)
        guard let smaller = settings["shed_slice"]?.string else {
            return transcriber(usual, settings, context, environment)
        }
        environment.load.offer(.slice)
        let elastic = ElasticRecogniser(usual: usual, smaller: try recogniser(smaller)) {
            environment.load.isTaken(.slice)
        }
        return transcriber(elastic, settings, context, environment)
    }

    private static func transcriber<Model: Recogniser>(
        _ recogniser: Model, _ settings: StageSettings, _ context: StageContext, _ environment: StageEnvironment
    ) -> any Worker where Model.Sound: TravellingSound {
        let origin = context.origins.first ?? context.stage
        let transcriber = UtteranceTranscriber(
            recogniser: recogniser,
            configuration: .init(
                partialInterval: settings.partialInterval, rule: .agreement(count: 2), anticipatesFinal: true),
            clock: .init(lag: { context.clock.lag(of: origin, behind: $0) }, wall: { MonotonicTime.now }))
        return TranscribeWorker(transcriber, environment: environment, context: context)
    }
}

/// What `decode` is to do.
enum DecodeTask: String, CaseIterable {
    case transcribe, translate, free, describe

    func speech(_ settings: StageSettings) -> GemmaSpeechTask {
        let (language, target) = (settings.string("language"), settings.string("to"))
        if let prompt = settings["prompt"]?.string {
            return .free(prompt, language: self == .translate ? target : language)
        }
        return self == .translate
            ? .translate(from: language, to: target) : .transcribe(language: language)
    }

    /// What does not fit together, in a file that is right otherwise.
    static func problems(_ settings: StageSettings, _ inputs: [StageKind.Input]) -> [StageKind.Complaint] {
        guard let task = DecodeTask(rawValue: settings.string("task")), let input = inputs.first else { return [] }
        var found: [StageKind.Complaint] = []
        let takesPictures = input.kind.output == SeenFrame.port
        if (task == .describe) != takesPictures {
            found.append(
                takesPictures
                    ? .init(
                        "task '\(task.rawValue)' is for speech, and stage '\(input.id)' gives pictures",
                        "Write `task: describe`.")
                    : .init(
                        "task 'describe' is for pictures, and stage '\(input.id)' gives speech",
                        "Write `task: transcribe`, or read an embed_image stage."))
        }
        if task == .free, settings["prompt"] == nil {
            found.append(.init("task 'free' has no prompt", "Add `prompt: WHAT TO DO`."))
        }
        let (own, other) = (settings.model("model"), input.settings["model"]?.model)
        if let other, other != own {
            found.append(
                .init(
                    "its model is '\(own.name)', and that of stage '\(input.id)' is '\(other.name)'",
                    "Name the same model, with the same weights, in both."))
        }
        return found
    }
}
