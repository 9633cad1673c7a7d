import Media
import Testing

@testable import Graph

struct TopologyTests {
    @Test func readsStagesSettingsDefaultsAndQueues() throws {
        let topology = try ExampleKinds.parse(ExampleKinds.narrate)
        #expect(topology.name == "narrate")
        #expect(topology.stages.map(\.id) == ["microphone", "speech", "utterances", "transcript", "events"])
        #expect(topology["microphone"]?.settings.string("device") == "default")
        #expect(topology["microphone"]?.settings["rate_hz"]?.integer == 48_000)
        #expect(topology["speech"]?.queue == QueuePolicy(capacity: 9, whenFull: .wait))
        #expect(topology["transcript"]?.queue == QueuePolicy(capacity: 64, whenFull: .dropOldest))
        let utterances = try #require(topology["utterances"]?.settings)
        #expect(utterances.duration("silence_ms") == MediaTime(milliseconds: 400))
        #expect(utterances.duration("max_s") == MediaTime(milliseconds: 2_500))
        #expect(utterances.model("vad") == ModelReference(name: "./vad.bin", path: "pipes/./vad.bin"))
        #expect(
            topology["transcript"]?.settings.model("model")
                == ModelReference(name: "whisper-tiny.en", weights: "q8", path: "pipes/whisper-tiny.en"))
        #expect(topology.origins(of: "events") == ["microphone"])
        #expect(topology.warnings == [])
    }

    @Test func theNameIsThatOfTheFileUnlessGiven() throws {
        let topology = try ExampleKinds.parse("stages: { m: { kind: microphone } }")
        #expect(topology.name == "test")
        #expect(
            topology.warnings.map(\.description) == [
                "pipes/test.yaml:1: nobody reads stage 'm' (kind microphone). Name it in a `from`, or remove it."
            ])
    }

    @Test func anUnusedAliasIsWarnedOf() throws {
        let text = ExampleKinds.narrate.replacing("  small:", with: "  large: { model: big }\n  small:")
        #expect(try ExampleKinds.parse(text).warnings.map(\.line) == [3])
    }

    @Test func behindAFastSourceEveryLinkWaits() throws {
        let text = """
            stages:
              file: { kind: audio_file, path: /a.wav, pace: fast }
              mic: { kind: microphone }
              s1: { kind: resample, from: file, queue: { when_full: drop_oldest } }
              s2: { kind: resample, from: mic, queue: { when_full: drop_oldest } }
            """
        let topology = try ExampleKinds.parse(text)
        #expect(topology.policy(from: "file", to: topology["s1"]!).whenFull == .wait)
        #expect(topology.policy(from: "mic", to: topology["s2"]!).whenFull == .dropOldest)
        #expect(topology.notes() == ["stage 'file': there is no recording '/a.wav' yet"])
    }

    @Test func pathsAreRelativeToTheFile() {
        #expect(PipelineFile.resolve("a.wav", besides: "x/y.yaml") == "x/a.wav")
        #expect(PipelineFile.resolve("../a.wav", besides: "y.yaml") == "../a.wav")
        #expect(PipelineFile.resolve("/a.wav", besides: "x/y.yaml") == "/a.wav")
    }

    @Test func overridesReplaceAddAndAreJudgedWithTheRest() throws {
        let topology = try ExampleKinds.parse(
            ExampleKinds.narrate,
            set: [
                "microphone.device=hw:1,0=x", "speech.channel=right", "speech.queue.capacity=2",
                "events.from=[transcript]", "transcript.queue={ capacity: 3 }"
            ])
        #expect(topology["microphone"]?.settings.string("device") == "hw:1,0=x")
        #expect(topology["speech"]?.settings.string("channel") == "right")
        #expect(topology["speech"]?.queue.capacity == 2)
        #expect(topology["transcript"]?.queue == QueuePolicy(capacity: 3, whenFull: .wait))
    }

    @Test(arguments: [
        ("speach.channel=left", "there is no stage 'speach'. Did you mean 'speech'?"),
        ("speech.chanel=left", "unknown key 'chanel' of stage 'speech' (kind resample). Did you mean 'channel'?"),
        ("speech.channel=lefd", "'channel' of stage 'speech' (kind resample) is 'lefd'. Did you mean 'left'?"),
        ("speech.channel", "no value. Write STAGE.KEY=VALUE."),
        ("speech=left", "'speech' is not STAGE.KEY. Write STAGE.KEY=VALUE."),
        ("speech..x=left", "'speech..x' is not STAGE.KEY. Write STAGE.KEY=VALUE."),
        ("events.from=[transcript", "not valid YAML: did not find expected ',' or ']'. Check the brackets.")
    ])
    func aWrongOverrideIsNamed(argument: String, message: String) {
        #expect(
            ExampleKinds.problems(ExampleKinds.narrate, set: [argument]) == ["--set \(argument): \(message)"])
    }

    @Test func aMissingFileAndAFolderAreTold() {
        #expect(throws: TopologyError.missing(file: "/nowhere.yaml")) {
            try Topology.load("/nowhere.yaml", registry: ExampleKinds.registry)
        }
        #expect(throws: TopologyError.unreadable(file: "/", reason: "Is a directory")) {
            try Topology.load("/", registry: ExampleKinds.registry)
        }
        #expect {
            try Topology.load("/dev/zero", registry: ExampleKinds.registry)
        } throws: { "\($0)".contains("larger than 64 KiB") }
    }
}
