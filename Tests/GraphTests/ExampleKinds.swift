import Graph
import Media

/// Kinds of stage with settings of every type, as a real registry has them; none can be made.
enum ExampleKinds {
    private static let (audio, speech) = (PortType("audio"), PortType("speech"))
    private static let (pieces, transcripts) = (PortType("utterances"), PortType("transcripts"))

    static let registry = StageRegistry([
        kind(
            "microphone", gives: audio,
            settings: [
                .optional("device", .string, default: .string("default"), "the capture device"),
                .optional("rate_hz", .integer(8_000...192_000), "the rate to ask for")
            ]),
        kind(
            "camera", gives: PortType("frames"),
            settings: [
                .optional("size", .size, default: .size(PixelSize(width: 1280, height: 720)), "of the picture"),
                .optional("fps", .number(0.1...240), default: .number(5), "pictures per second"),
                .optional("zones", .rectangles, default: .rectangles([]), "where to look")
            ]),
        kind(
            "audio_file", gives: audio,
            settings: [
                .required("path", .path, "the recording"),
                .optional("pace", .choice(["realtime", "fast"]), default: .string("realtime"), "how time runs"),
                .optional("loop", .boolean, default: .boolean(false), "begin again at the end")
            ]),
        kind(
            "resample", takes: [audio, speech], gives: speech,
            settings: [
                .optional(
                    "channel", .choice(["mix", "left", "right", "loudest"]), default: .string("mix"), "what to hear")
            ]),
        kind(
            "endpoint", takes: [speech], gives: pieces,
            settings: [
                .required("vad", .model, "the voice activity model"),
                .optional(
                    "silence_ms", .milliseconds(50...10_000), default: .duration(MediaTime(milliseconds: 500)),
                    "silence that ends an utterance"),
                .optional(
                    "max_s", .seconds(1...600), default: .duration(MediaTime(milliseconds: 28_000)),
                    "the longest utterance"),
                .optional("unless", .stages, "stages that silence it")
            ]),
        kind(
            "transcribe", takes: [pieces], gives: transcripts,
            settings: [.required("model", .model, "the model that transcribes")]),
        kind("events", takes: [transcripts, PortType("scenes")], isMany: true)
    ])

    private static func kind(
        _ name: String, takes inputs: [PortType] = [], isMany: Bool = false, gives output: PortType? = nil,
        settings: [SettingSpecification] = []
    ) -> StageKind {
        StageKind(
            name: name, summary: "does what \(name) says", inputs: inputs, acceptsManyInputs: isMany, output: output,
            settings: settings,
            pace: { $0["pace"]?.string == "fast" ? .fast : .live },
            notes: { $0["path"].map { ["there is no recording '\($0.path!)' yet"] } ?? [] },
            make: { _, _ in throw Enough() })
    }

    static let narrate = """
        name: narrate
        models:
          small: { model: whisper-tiny.en, weights: q8 }
        stages:
          microphone: { kind: microphone, rate_hz: 48000 }
          speech:     { kind: resample, from: microphone, channel: left, queue: { capacity: 9 } }
          utterances: { kind: endpoint, from: speech, vad: ./vad.bin, silence_ms: 400, max_s: 2.5 }
          transcript: { kind: transcribe, from: utterances, model: small, queue: { when_full: drop_oldest } }
          events:     { kind: events, from: [transcript] }
        """

    static func parse(_ text: String, set arguments: [String] = []) throws(TopologyError) -> Topology {
        try Topology.parse(
            text, file: "pipes/test.yaml", overrides: arguments.map { Override($0) }, registry: registry)
    }

    /// The problems of a text, each as one line; empty if it is good.
    static func problems(_ text: String, set arguments: [String] = []) -> [String] {
        do throws(TopologyError) {
            _ = try parse(text, set: arguments)
            return []
        } catch {
            return error.description.split(separator: "\n").map(String.init)
        }
    }
}
