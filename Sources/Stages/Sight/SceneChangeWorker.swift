package import Graph
import Media
package import Scenes
package import Signal

/// The change measure and `SceneGate` as a stage.
///
/// While nothing moves it looks at some ten frames a second and keeps the others as they came; a frame that shows
/// something new has those before it looked at too, so that what is told does not depend on what was skipped.
package final class SceneChangeWorker: Worker {
    /// A frame, and what it looks like.
    private struct View {
        let frame: VideoFrame
        let sketch: LumaSketch
    }

    package let urgency = Urgency.signal
    /// While nothing moves: a little less than three frames at 30 frames a second.
    private static let lookEvery = MediaTime(milliseconds: 90)

    private let comparison: ViewComparison
    private let nextScene: @Sendable () -> SceneID
    private let report: (String) -> Void
    private let decoder = PictureDecoder()
    private var gate: SceneGate<View>
    private var noise = NoiseLevel()
    /// Frames not looked at yet, the newest last.
    private var unseen: [VideoFrame] = []
    private var lookTime: MediaTime?
    /// The newest frame that is good as far as is known.
    private var newest: VideoFrame?
    private var asked: [SceneID] = []
    private var isMuted = false
    private var ended = false
    private var minInterval: MediaTime
    private let isCrowded: () -> Bool
    /// Frames that could not be decoded.
    package private(set) var damaged = 0

    /// - Parameters:
    ///   - isCrowded: Whether scenes should come more seldom, because the machine cannot keep up.
    ///   - report: hears once of frames that cannot be decoded, and at the end how many they were.
    package init(
        _ settings: SceneGateSettings, _ comparison: ViewComparison, nextScene: @escaping @Sendable () -> SceneID,
        isCrowded: @escaping () -> Bool = { false },
        report: @escaping (String) -> Void
    ) {
        self.comparison = comparison
        self.nextScene = nextScene
        self.report = report
        (self.isCrowded, minInterval) = (isCrowded, settings.minInterval)
        gate = SceneGate(
            settings, change: { comparison.change($0.sketch, $1.sketch) },
            isCut: { comparison.isCut(from: $0.sketch, to: $1.sketch) })
    }

    package func offer(_ packet: Packet) throws {
        let frame = try packet.value(as: VideoFrame.self)
        if !isMuted { unseen.append(frame) }
    }

    package func finish() throws { ended = true }

    package func adjust(_ settings: StageSettings) throws {
        gate.adjust(to: SceneGateSettings(settings))
        minInterval = gate.settings.minInterval
    }

    package func control(_ control: StageControl) throws {
        switch control {
        case .describe(let number): asked.append(SceneID(number))
        case .mute(let muted):
            isMuted = muted
            unseen = []
            newest = nil
            gate.interrupt()
        case .forget: asked = []
        case .flush, .ask: break
        }
    }

    package func work(_ output: Output) throws -> Progress {
        if let frame = unseen.last, !mayWait(frame) { look(output) }
        if ended {
            look(output)
            for telling in gate.finish() { send(telling, output) }
            sumUp()
        }
        answer(output)
        return .idle
    }

    // MARK: - Looking

    private func mayWait(_ frame: VideoFrame) -> Bool {
        guard let lookTime, frame.time >= lookTime, frame.time - lookTime < Self.lookEvery else { return false }
        return gate.mayRest(until: frame.time)
    }

    private func look(_ output: Output) {
        guard let last = unseen.popLast() else { return }
        lookTime = last.time
        let skipped = unseen
        unseen = []
        // Sketches carry the noise of their stream, so they are made in its order unless nothing moved.
        if !skipped.isEmpty, gate.mayRest(until: last.time), let sketch = sketch(last),
            gate.isStill(View(frame: last, sketch: sketch))
        {
            advance(last, sketch, output)
            return
        }
        for frame in skipped + [last] {
            if let sketch = sketch(frame) { advance(frame, sketch, output) }
        }
    }

    private func advance(_ frame: VideoFrame, _ sketch: LumaSketch, _ output: Output) {
        var sketch = sketch
        noise.measure(&sketch, comparison)
        gate.settings.minInterval = isCrowded() ? max(minInterval, LoadGovernor.sceneInterval) : minInterval
        newest = frame
        for telling in gate.advance(to: frame.time, View(frame: frame, sketch: sketch)) { send(telling, output) }
    }

    private func sketch(_ frame: VideoFrame) -> LumaSketch? {
        do throws(SignalError) {
            return LumaSketch(try decoder.eighthLuma(frame))
        } catch {
            damaged += 1
            if damaged == 1 { report("a frame at \(frame.time) is skipped, as others like it will be: \(error)") }
            return nil
        }
    }

    // MARK: - Telling

    private func send(_ telling: SceneGate<View>.Telling, _ output: Output) {
        send(
            telling.view.frame, Scene(id: nextScene(), reason: telling.reason, frameTime: telling.view.frame.time),
            output)
    }

    private func send(_ frame: VideoFrame, _ scene: Scene, _ output: Output) {
        output.send(SceneFrame(scene: scene, frame: frame))
    }

    /// A question waits until there is a frame.
    private func answer(_ output: Output) {
        guard !asked.isEmpty, let frame = unseen.last ?? newest else { return }
        for id in asked { send(frame, Scene(id: id, reason: .ask, frameTime: frame.time), output) }
        asked = []
    }

    private func sumUp() {
        if damaged > 1 { report("\(damaged) frames could not be decoded and were skipped") }
        if gate.superseded > 0 {
            report(
                "\(gate.superseded) views were not told: they changed faster than min_interval_s allows; lower it to hear of all"
            )
        }
    }
}
