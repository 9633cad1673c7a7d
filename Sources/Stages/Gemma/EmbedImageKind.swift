import Gemma
import Graph
import Kernels
import Media
import Scenes
import Signal

extension StageKind {
    /// `embed_image { model, resolution }`
    static func embedImage(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "embed_image", summary: "Gemma: pictures to soft tokens.", inputs: [SceneFrame.port],
            output: SeenFrame.port,
            settings: [
                .required("model", .model, "a Gemma 3n model"),
                .optional(
                    "resolution", .choice(GemmaModel.pictureSides.map { "\($0)" }),
                    "side of what the model sees, in pixels; as the model's own preprocessor has it, but 512 at most")
            ],
            queue: QueuePolicy(capacity: 4, whenFull: .dropOldest),
            notes: { environment.notes(on: $0.model("model")) },
            make: { settings, context in
                let gemma = try environment.gemma(settings.model("model"))
                return .worker(
                    EmbedImageWorker(
                        GemmaVisionEncoder(weights: try gemma.vision(), pool: environment.pool),
                        resolution: try settings["resolution"]?.string.flatMap(Int.init)
                            ?? min(gemma.model.pictureSide(), liveSide), environment: environment, context: context))
            })
    }
}

/// Twice that costs six times the work: too much for most machines to keep up with.
private let liveSide = 512

/// Gemma's picture encoder as a stage: a picture is decoded in one quantum and goes through some rows of the network in each
/// further one.
final class EmbedImageWorker: Worker {
    var urgency: Urgency { questions.isEmpty && !isForQuestion ? .picture : .question }
    private let encoder: GemmaVisionEncoder
    private let resolution: Int
    private let environment: StageEnvironment
    private let context: StageContext
    private var scene: (frame: SceneFrame, arrival: MediaTime)?
    private var questions: [Question] = []
    private var run: (run: GemmaVisionRun, frame: VideoFrame, seen: SeenFrame)?
    private var skipped = 0

    init(_ encoder: GemmaVisionEncoder, resolution: Int, environment: StageEnvironment, context: StageContext) {
        (self.encoder, self.resolution) = (encoder, resolution)
        (self.environment, self.context) = (environment, context)
    }

    private var isForQuestion: Bool {
        if case .question? = run?.seen.subject { true } else { false }
    }

    func offer(_ packet: Packet) throws {
        scene = (try packet.value(as: SceneFrame.self), MonotonicTime.now)
    }

    func control(_ control: StageControl) throws {
        switch control {
        case .ask(let question): questions.append(question)
        case .forget:
            (scene, run) = (nil, nil)
            environment.seen.forget(context.stage)
        case .flush, .describe, .mute: break
        }
    }

    func work(_ output: Output) throws -> Progress {
        if let (run, frame, seen) = run {
            if run.advance() { return .more }
            self.run = nil
            finish(seen, frame, run.tokens, output)
        } else if !questions.isEmpty {
            begin(questions.removeFirst(), output)
        } else if let (frame, arrival) = scene {
            scene = nil
            begin(SeenFrame(subject: .scene(frame.scene), arrival: arrival), frame.frame, output)
        }
        return run != nil || scene != nil || !questions.isEmpty ? .more : .idle
    }

    /// Finds the picture that a question is about; a frame that was seen already is not looked at again.
    private func begin(_ question: Question, _ output: Output) {
        let origin = context.origins[0]
        let seen = SeenFrame(subject: .question(question), arrival: MonotonicTime.now)
        switch question.frame {
        case .none: output.send(seen, from: origin)
        case .scene(let number):
            guard let known = environment.seen.scene(SceneID(number), of: context.stage) else {
                environment.report("\(context.stage): the picture of scene \(number) is not kept any more")
                return output.send(seen, from: origin)
            }
            output.send(seen.with(known.tokens), from: origin)
        case .newest:
            guard let frame = environment.frames.latest(of: origin) else { return output.send(seen, from: origin) }
            if let known = environment.seen.frame(at: frame.time, of: context.stage) {
                return output.send(seen.with(known.tokens), from: origin)
            }
            begin(seen, frame, output)
        }
    }

    private func begin(_ seen: SeenFrame, _ frame: VideoFrame, _ output: Output) {
        do throws(SignalError) {
            let decoded = try PictureDecoder().decode(frame, as: .rgb)
            run = (encoder.begin(decoded.picture, resolution: resolution), frame, seen)
        } catch {
            skipped += 1
            environment.report("\(context.stage): \(error) (\(skipped) skipped so far)")
            // A question is answered all the same.
            if case .question = seen.subject { output.send(seen, from: context.origins[0]) }
        }
    }

    private func finish(_ seen: SeenFrame, _ frame: VideoFrame, _ tokens: Tensor<Float>, _ output: Output) {
        var scene: SceneID?
        if case .scene(let known) = seen.subject { scene = known.id }
        environment.seen.keep(.init(scene: scene, time: frame.time, tokens: tokens), of: context.stage)
        output.send(seen.with(tokens), from: context.origins[0])
    }
}
