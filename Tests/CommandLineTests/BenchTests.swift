import Foundation
import TestSupport
import Testing

/// `narrator bench` by the contract.
@Suite(.enabled(if: Program.isBuilt, "needs the built program: make build"))
struct BenchUsageTests {
    @Test(
        arguments: [
            ["--prefill", "0"], ["--decode", "-1"], ["--context", "100"], ["--prefill", "2000000"],
            ["--prefill", "900", "--context", "1000"], ["--weights", "q3"], ["--threads", "0"], ["--model"]
        ])
    func wrongUsageIs64(arguments: [String]) throws {
        let program = Program(["bench"] + arguments)
        try program.start()
        let result = program.finish()
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.output.isEmpty && !result.errors.isEmpty)
    }

    @Test func aMissingModelIs66AndAnUnknownNameIs64() throws {
        #expect(try Program.run("bench", "--model", "/nowhere/at/all").status == 66)
        #expect(try Program.run("bench", "--model", "whisper-huge").status == 64)
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = ["NARRATOR_MODELS": scratch.path]
        let result = try Program.run("bench", environment: store)
        #expect(result.status == 66 && result.errors.contains("narrator models pull whisper-tiny.en"))
        #expect(try Program.run("bench", "--model", "gemma-3n-e2b", environment: store).status == 66)
    }

    @Test func whatIsNoModelIs65() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let result = try Program.run("bench", "--model", scratch.write("model.bin", "not a model at all"))
        #expect(result.status == 65, "\(result)")
    }
}

@Suite(
    .enabled(
        if: Program.isBuilt && RealData.shared("../nano/gemma-3n-nano") != nil,
        "needs the built program and ../shared/nano"))
struct GemmaBenchTests {
    private let nano = RealData.shared("../nano/gemma-3n-nano") ?? ""

    @Test(arguments: ["f32", "q8", "q4"]) func jsonHasWhatTheContractSays(weights: String) throws {
        let result = try Program.run(
            "bench", "--json", "--model", nano, "--weights", weights, "--prefill", "50", "--decode", "10",
            "--threads", "1")
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(result.lines.count == 1)
        let line = try #require(result.lines.first)
        #expect(line["model"] as? String == nano && line["weights"] as? String == weights)
        #expect(line["threads"] as? Int == 1 && line["instruction_set"] is String)
        #expect(line["prefill_tokens"] as? Int == 50 && line["decode_tokens"] as? Int == 10)
        #expect(line["context_tokens"] as? Int == 4_096)
        for key in [
            "load_s", "prefill_tokens_per_s", "decode_tokens_per_s", "time_to_first_token_s",
            "start_to_first_token_s"
        ] { #expect((line[key] as? Double ?? 0) > 0, "\(key)") }
        for key in ["model_bytes", "peak_rss_bytes"] { #expect((line[key] as? Int ?? 0) > 1 << 20, "\(key)") }
        for key in ["audio_encoder_s_per_s", "audio_encoder_10s_s", "vision_encoder_256_s", "vision_encoder_768_s"] {
            #expect((line[key] as? Double ?? 0) > 0, "\(key)")
        }
    }

    @Test func aModelOfFewPositionsIsMeasuredWithinThem() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        for name in try FileManager.default.contentsOfDirectory(atPath: nano) where name != "config.json" {
            try FileManager.default.createSymbolicLink(
                atPath: "\(scratch.path)/\(name)", withDestinationPath: "\(nano)/\(name)")
        }
        let config = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: "\(nano)/config.json")))
        var values = try #require(config as? [String: Any])
        var text = try #require(values["text_config"] as? [String: Any])
        text["max_position_embeddings"] = 100
        values["text_config"] = text
        try JSONSerialization.data(withJSONObject: values).write(to: URL(filePath: "\(scratch.path)/config.json"))
        let result = try Program.run("bench", "--json", "--model", scratch.path)
        #expect(result.status == 0 && result.errors.contains("100 positions"), "\(result.errors)")
        #expect(result.lines.first?["prefill_tokens"] as? Int == 75)
        #expect(result.lines.first?["decode_tokens"] as? Int == 25)
        #expect(try Program.run("bench", "--quiet", "--model", scratch.path).errors.isEmpty)
        let wide = try Program.run(
            "bench", "--model", scratch.path, "--prefill", "5", "--decode", "2", "--context", "200")
        #expect(wide.status == 0 && wide.errors.contains("100 positions"), "\(wide)")
    }

    @Test func forPeopleItIsATable() throws {
        let result = try Program.run("bench", "--model", nano, "--prefill", "20", "--decode", "5")
        let lines = result.output.split(separator: "\n")
        for label in ["model ", "prefill ", "decode ", "prompt to first token ", "peak memory ", "threads "] {
            #expect(lines.contains { $0.hasPrefix(label) }, "\(label) in \(result.output)")
        }
    }

    @Test func aSliceThatTheModelDoesNotHoldIs64() throws {
        #expect(try Program.run("bench", "--model", nano, "--slice", "e2b").status == 64)
    }
}

@Suite(.enabled(if: Program.hasTiny && Program.hasLabels, "needs the built program and the models: make build models"))
struct SenseBenchTests {
    @Test(arguments: [
        (
            "whisper-tiny.en",
            [
                "audio_encoder_s_per_s", "audio_encoder_10s_window_s", "audio_encoder_30s_window_s",
                "decode_tokens_per_s", "time_to_first_token_s"
            ]
        ),
        ("efficientnet-lite0", ["vision_encoder_s"]), ("silero-vad", ["audio_encoder_s_per_s"])
    ])
    func everyModelHasItsFigures(model: String, keys: [String]) throws {
        let result = try Program.run("bench", "--json", "--model", model)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let line = try #require(result.lines.first)
        #expect(line["model"] as? String == model)
        for key in keys + ["load_s"] { #expect((line[key] as? Double ?? 0) > 0, "\(model): \(key)") }
        for key in ["model_bytes", "peak_rss_bytes", "threads"] { #expect((line[key] as? Int ?? 0) > 0, "\(key)") }
    }

    @Test func optionsOfAnotherKindAre64() throws {
        for option in [["--prefill", "10"], ["--weights", "q4"], ["--decode", "3"]] {
            let program = Program(["bench", "--model", "silero-vad"] + option)
            try program.start()
            let result = program.finish()
            #expect(result.status == 64 && result.errors.contains(option[0]), "\(result)")
        }
    }
}
