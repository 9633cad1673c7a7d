package import EfficientNet
package import Graph
package import Kernels
import Media
import Scenes
import Signal

extension StageKind {
    /// `label { model, top }`
    static func label(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "label", summary: "EfficientNet: pictures to labels.", inputs: [SceneFrame.port],
            output: SceneUpdate.port,
            settings: [
                .required("model", .model, "an EfficientNet model, such as efficientnet-lite0"),
                .optional("top", .integer(1...20), default: .integer(5), live: true, "how many labels are told at most")
            ],
            notes: { environment.notes(on: $0.model("model")) },
            make: { settings, context in
                let model = try environment.efficientNet(settings.model("model"))
                return .worker(
                    LabelWorker(
                        model, pool: environment.pool, top: settings.integer("top"),
                        report: { environment.report("\(context.stage): \($0)") }))
            })
    }
}

/// An EfficientNet as a stage: a picture is decoded in one quantum and goes through a block of the network in each
/// further one.
///
/// A picture that cannot be decoded has no scene: nothing is told of it but to the log.
package final class LabelWorker: Worker {
    package let urgency = Urgency.picture
    private let model: EfficientNetModel
    private let run: EfficientNetRun
    private var top: Int
    private let report: (String) -> Void
    private var state = State.idle
    private var skipped = 0

    private enum State {
        case idle
        case arrived(SceneFrame, at: MediaTime)
        case running(Scene, since: MediaTime)
    }

    /// - Parameter top: Labels told of a picture at most.
    package init(
        _ model: EfficientNetModel, pool: ThreadPool, top: Int = 5, report: @escaping (String) -> Void
    ) {
        self.model = model
        run = EfficientNetRun(model, pool: pool)
        self.top = top
        self.report = report
    }

    package func offer(_ packet: Packet) throws {
        state = .arrived(try packet.value(as: SceneFrame.self), at: MonotonicTime.now)
    }

    package func adjust(_ settings: StageSettings) throws { top = settings.integer("top") }

    package func work(_ output: Output) throws -> Progress {
        switch state {
        case .idle: return .idle
        case .arrived(let frame, let arrival):
            do throws(SignalError) {
                let decoded = try PictureDecoder().decode(frame.frame, as: .rgb)
                run.begin(model.pixels(from: decoded.picture))
            } catch {
                skipped += 1
                report("\(error) (\(skipped) skipped so far)")
                state = .idle
                return .idle
            }
            output.send(SceneUpdate.started(frame.scene))
            state = .running(frame.scene, since: arrival)
            return .more
        case .running(let scene, let arrival):
            guard run.step() else { return .more }
            let labels = model.labels(run.probabilities, count: top).map {
                SceneUpdate.Label(name: $0.name, probability: $0.probability)
            }
            output.send(
                SceneUpdate.final(
                    .init(
                        scene: scene, text: LabelWording.text(labels), labels: labels,
                        latency: MonotonicTime.now - arrival)))
            state = .idle
            return .idle
        }
    }
}
