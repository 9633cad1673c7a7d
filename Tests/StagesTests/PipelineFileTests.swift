import Events
import Foundation
import Graph
import Kernels
import Stages
import TestSupport
import Testing

/// Knows no model: for files that are only judged.
struct EmptyStore: ModelLocator {
    struct Missing: Error {}
    func locate(_ reference: ModelReference) throws -> String { throw Missing() }
}

struct PipelineFileTests {
    static var files: [String] {
        let folder = RealData.root.appending(path: "Pipelines").path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.map { "\(folder)/\($0)" }
    }

    private var registry: StageRegistry {
        .standard(
            StageEnvironment(
                models: EmptyStore(), sink: RecordingSink(), pool: ThreadPool(threads: 1), report: { _ in }))
    }

    @Test func thereArePipelines() { #expect(Self.files.count >= 3) }

    @Test(arguments: files) func everyPipelineWeShipIsGood(file: String) throws {
        let topology = try Topology.load(file, registry: registry)
        #expect(topology.warnings.isEmpty)
        #expect(topology.stages.contains { $0.kind.name == "events" })
    }

    /// The contract's example settings are known, and nothing else is.
    @Test func theContractsStagesAreKnown() throws {
        let text = """
            name: contract
            stages:
              microphone: { kind: alsa, device: default, rate_hz: 48000, channels: 2 }
              pipe:       { kind: stdin_pcm, rate_hz: 16000, channels: 1, format: s16le }
              tone:       { kind: test_tone }
              recording:  { kind: audio_file, path: a.wav, pace: fast, loop: true }
              speech:     { kind: resample, from: microphone, rate_hz: 16000, channel: mix }
              utterances: { kind: endpoint, from: speech, vad: silero-vad, silence_ms: 500, preroll_ms: 300, \
            min_speech_ms: 100, max_s: 28 }
              transcript: { kind: transcribe, from: utterances, model: whisper-tiny.en, partial_ms: 500 }
              events:     { kind: events, from: [transcript], queue: { capacity: 4, when_full: wait } }
            """
        let topology = try Topology.parse(text, file: "contract.yaml", registry: registry)
        #expect(topology.stages.count == 8)
        #expect(throws: TopologyError.self) {
            try Topology.parse(
                text.replacingOccurrences(of: "silence_ms", with: "silense_ms"), file: "contract.yaml",
                registry: registry)
        }
    }

    @Test func aLinkThatDoesNotFitIsRefusedWithItsRemedy() throws {
        let text = """
            name: unfit
            stages:
              tone:       { kind: test_tone }
              utterances: { kind: endpoint, from: tone }
              transcript: { kind: transcribe, from: utterances, model: whisper-tiny.en }
              events:     { kind: events, from: transcript }
            """
        do {
            _ = try Topology.parse(text, file: "unfit.yaml", registry: registry)
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("unfit.yaml:4") && "\(error)".contains("resample"))
        }
    }
}
