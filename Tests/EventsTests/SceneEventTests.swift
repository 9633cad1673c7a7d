import Events
import Testing

struct SceneEventTests {
    private let moment = SceneMoment(scene: 4, frameMs: 12_400, reason: .change)
    private var final: FinalScene {
        FinalScene(
            moment: moment, text: "espresso, coffee mug",
            labels: [.init(name: "espresso", probability: 0.71234), .init(name: "coffee mug", probability: 0.2)],
            latencyMs: 31)
    }

    private func wire(_ body: EventBody) -> String {
        Event(seq: 17, time: Timestamp(milliseconds: 1_772_352_930_042), src: "camera", body: body).wire.jsonText
    }

    private let head = #""seq":17,"ts":"2026-03-01T08:15:30.042Z","src":"camera","scene":4,"frame_ms":12400"#

    @Test func `scene events have the members of the protocol`() {
        #expect(wire(.sceneStarted(moment)) == #"{"event":"scene.started",\#(head),"reason":"change"}"#)
        #expect(
            wire(.sceneDelta(moment, text: " cup"))
                == #"{"event":"scene.delta",\#(head),"reason":"change","text":" cup"}"#)
        #expect(
            wire(.sceneFinal(final)) == #"{"event":"scene.final",\#(head),"reason":"change","#
                + #""text":"espresso, coffee mug","labels":[{"label":"espresso","p":0.7123},"#
                + #"{"label":"coffee mug","p":0.2}],"tokens":0,"latency_ms":31}"#)
    }

    @Test(arguments: [nil, []] as [[FinalScene.Label]?])
    func `a scene without labels has no such member`(labels: [FinalScene.Label]?) {
        let described = FinalScene(moment: moment, text: "A cup.", labels: labels, tokens: 9, latencyMs: 800)
        #expect(wire(.sceneFinal(described)).hasSuffix(#""text":"A cup.","tokens":9,"latency_ms":800}"#))
    }

    @Test(arguments: SceneMoment.Reason.allCases) func `finals read back from the wire`(reason: SceneMoment.Reason)
        throws
    {
        var sent = final
        sent.moment.reason = reason
        sent.labels?[0].probability = 0.7123
        #expect(FinalScene(wire: try JSONValue(parsing: wire(.sceneFinal(sent)))) == sent)
    }

    @Test func `what is no final scene is none`() throws {
        #expect(FinalScene(wire: try JSONValue(parsing: wire(.sceneDelta(moment, text: "a")))) == nil)
        #expect(FinalScene(wire: ["event": "scene.final", "scene": 1, "frame_ms": 2, "reason": "whim"]) == nil)
        #expect(SceneMoment(wire: try JSONValue(parsing: wire(.sceneStarted(moment)))) == moment)
    }

    @Test func `as text a scene is one line`() {
        let scene = FinalScene(moment: moment, text: " A cup.\nA spoon. ", latencyMs: 1)
        #expect(scene.line(src: "camera") == "[camera] A cup. A spoon.")
    }
}
