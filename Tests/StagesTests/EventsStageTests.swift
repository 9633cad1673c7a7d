import Events
import Graph
import Media
import Scenes
import Speech
import Stages
import Synchronization
import Testing

/// Keeps what stages tell.
final class RecordingSink: EventSink {
    private let told = Mutex<[(src: String, body: EventBody)]>([])

    func emit(_ body: EventBody, src: String) { told.withLock { $0.append((src, body)) } }

    var sources: [String] { told.withLock { $0.map(\.src) } }
    var bodies: [EventBody] { told.withLock { $0.map(\.body) } }
}

struct EventsStageTests {
    private let sink = RecordingSink()

    private func tell(_ value: any PortValue, from origin: StageID) throws {
        let worker = EventsWorker(sink: sink)
        try worker.offer(Packet(value, origin: origin))
        #expect(worker.work(Output(origin: origin)) == .idle)
    }

    @Test(arguments: SceneReason.allCases) func `the story of a scene becomes events`(reason: SceneReason) throws {
        let scene = Scene(id: SceneID(7), reason: reason, frameTime: MediaTime(milliseconds: 1_250))
        try tell(SceneUpdate.started(scene), from: "camera")
        try tell(SceneUpdate.delta(scene, text: "A cup"), from: "camera")
        let final = SceneUpdate.Final(
            scene: scene, text: "espresso", labels: [.init(name: "espresso", probability: 0.5)], tokens: 3,
            latency: MediaTime(milliseconds: 42))
        try tell(SceneUpdate.final(final), from: "camera")
        let moment = SceneMoment(
            scene: 7, frameMs: 1_250, reason: try #require(SceneMoment.Reason(rawValue: reason.rawValue)))
        #expect(
            sink.bodies == [
                .sceneStarted(moment), .sceneDelta(moment, text: "A cup"),
                .sceneFinal(
                    FinalScene(
                        moment: moment, text: "espresso", labels: [.init(name: "espresso", probability: 0.5)],
                        tokens: 3, latencyMs: 42))
            ])
        #expect(sink.sources == ["camera", "camera", "camera"])
    }

    @Test func `transcripts and scenes come through one stage`() throws {
        let scene = Scene(id: SceneID(1), reason: .first, frameTime: .zero)
        try tell(Speech.TranscriptUpdate.started(UtteranceID(1), at: .zero), from: "microphone")
        try tell(SceneUpdate.started(scene), from: "camera")
        #expect(sink.bodies.map(\.name) == ["speech.started", "scene.started"])
        #expect(sink.sources == ["microphone", "camera"])
    }

    @Test func `anything else is our own fault and said so`() {
        #expect(throws: GraphError.self) {
            try tell(AudioBlock(time: .zero, rateHz: 16_000, channels: 1, samples: [0]), from: "microphone")
        }
    }
}
