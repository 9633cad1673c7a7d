import Foundation
import TestSupport
import Testing

/// Exit statuses and where words go, by the contract.
@Suite(.enabled(if: Program.isBuilt, "needs the built program: make build"))
struct ExitStatusTests {
    @Test func helpAndVersionAreNoErrors() throws {
        for command in ["run", "check", "transcribe", "ask", "bench", "listen", "send", "status", "devices", "models"] {
            #expect(try Program.run(command, "--help").status == 0, "\(command)")
        }
        let version = try Program.run("--version")
        #expect(version.status == 0 && version.output.hasPrefix("narrator 0."))
    }

    @Test(arguments: [
        ["frobnicate"], ["transcribe"], ["transcribe", "--format", "xml", "a.wav"], ["run"],
        ["transcribe", "--realtime", "a.wav"], ["transcribe", "--threads", "0", "a.wav"],
        ["models", "pull", "whisper-huge"]
    ])
    func wrongUsageIs64(arguments: [String]) throws {
        let program = Program(arguments)
        try program.start()
        let result = program.finish()
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.output.isEmpty && !result.errors.isEmpty)
    }

    @Test func aModelThatIsNotPulledIs66AndSaysHowToGetIt() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = ["NARRATOR_MODELS": scratch.path]
        let jfk = "\(RealData.samples)/jfk.wav"
        let transcribe = try Program.run("transcribe", jfk, environment: store)
        #expect(transcribe.status == 66)
        #expect(transcribe.errors.contains("narrator models pull whisper-tiny.en"))
        let run = try Program.run(
            "run", RealData.root.path + "/Pipelines/demo.yaml", "--socket", "\(scratch.path)/s", environment: store)
        #expect(run.status == 66)
        #expect(run.errors.contains("narrator models pull whisper-tiny.en"))
        #expect(run.errors.contains("narrator models pull silero-vad"))
        #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/s"))
    }

    @Test func aBrokenPipelineIs78WithEveryProblem() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = try scratch.write(
            "broken.yaml",
            """
            name: broken
            stages:
              tone:   { kind: test_tome }
              speech: { kind: resample, from: tone, chanel: mix }
              events: { kind: events, from: transcript }
            """)
        for command in ["check", "run"] {
            let result = try Program.run(command, file)
            #expect(result.status == 78)
            for line in ["broken.yaml:3", "test_tone", "broken.yaml:4", "channel", "broken.yaml:5"] {
                #expect(result.errors.contains(line), "\(command): \(line) in \(result.errors)")
            }
        }
        #expect(try Program.run("check", "\(scratch.path)/missing.yaml").status == 66)
    }

    @Test func checkJudgesTheFileOnly() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let result = try Program.run(
            "check", RealData.root.path + "/Pipelines/transcribe.yaml", environment: ["NARRATOR_MODELS": scratch.path])
        #expect(result.status == 0)
        #expect(result.errors.contains("note:"))
    }

    @Test func withoutADaemonClientsEndWith69() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        for command in [["listen"], ["send", "ping"], ["status"]] {
            let program = Program(command + ["--socket", "\(scratch.path)/none"])
            try program.start()
            let result = program.finish()
            #expect(result.status == 69)
            #expect(result.errors.contains("narrator run"))
        }
    }
}

@Suite(.enabled(if: Program.hasTiny, "needs the built program and the models: make build models"))
struct TranscribeCommandTests {
    @Test func goesOnAfterABadFileAndEndsWithItsStatus() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let garbage = try scratch.write("garbage.wav", "no sound")
        let jfk = "\(RealData.samples)/jfk.wav"
        let result = try Program.run(
            "transcribe", "--format", "json", garbage, "\(scratch.path)/missing.wav", jfk)
        #expect(result.status == 65)
        #expect(result.lines.count == 3)
        #expect(result.lines[0]["error"] is String && result.lines[1]["error"] is String)
        #expect((result.lines[2]["text"] as? String)?.contains("ask what you can do for your country") == true)
        #expect(try Program.run("transcribe", "\(scratch.path)/missing.wav").status == 66)
    }

    @Test(arguments: [false, true]) func aRecordingThatWasCutIsTranscribedAndSaidToBe(live: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let whole = try Data(contentsOf: URL(filePath: "\(RealData.samples)/jfk.wav"))
        let cut = "\(scratch.path)/cut.wav"
        try whole.prefix(44 + 5 * 32_000).write(to: URL(filePath: cut))
        let program = Program(["transcribe", "--format", "json"] + (live ? ["--stream"] : []) + [cut])
        try program.start()
        let result = program.finish()
        #expect(result.status == 0)
        #expect((result.lines.first?["text"] as? String)?.contains("fellow Americans") == true)
        #expect(result.errors.contains("ends early: 5.0 s of 11.0 s"))
        let silent = try Program.run("transcribe", "--quiet", cut)
        #expect(silent.status == 0 && silent.errors.isEmpty)
    }

    @Test func jsonHasWhatTheContractSays() throws {
        let line = try #require(
            try Program.run("transcribe", "--format", "json", "--stream", "\(RealData.samples)/jfk.wav").lines.first)
        for key in [
            "file", "model", "language", "text", "segments", "audio_s", "compute_s", "partials", "retractions",
            "first_partial_ms", "final_latency_ms"
        ] { #expect(line[key] != nil, "\(key)") }
        #expect(line["retractions"] as? Int == 0)
        #expect(abs((line["audio_s"] as? Double ?? 0) - 11) < 0.01)
        let segment = try #require((line["segments"] as? [[String: Any]])?.first)
        #expect(segment["start_ms"] is Int && segment["end_ms"] is Int && segment["text"] is String)
    }

    @Test func subtitlesAreWellFormed() throws {
        let jfk = "\(RealData.samples)/jfk.wav"
        let srt = try Program.run("transcribe", "--format", "srt", jfk).output
        #expect(srt.hasPrefix("1\n00:00:0") && srt.contains(" --> 00:00:"))
        #expect(try Program.run("transcribe", "--format", "vtt", jfk).output.hasPrefix("WEBVTT\n\n"))
    }

    @Test func withoutVADTheWholeSoundIsHeard() throws {
        let result = try Program.run("transcribe", "--vad", "off", "\(RealData.samples)/two_cities.flac")
        #expect(result.output.contains("best of times") && result.output.contains("degree of comparison"))
    }
}
