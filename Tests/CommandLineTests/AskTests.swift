import Foundation
import TestSupport
import Testing

/// `narrator ask` and `narrator models verify` by the contract.
@Suite(.enabled(if: Program.isBuilt, "needs the built program: make build"))
struct AskUsageTests {
    @Test(
        arguments: [
            ["ask"], ["ask", "--temperature", "-1", "q"], ["ask", "--max-tokens", "0", "q"],
            ["ask", "--top-p", "0", "q"],
            ["ask", "--weights", "q3", "q"], ["ask", "--image", "a.jpg", "q"], ["ask", "--frame", "soon", "q"],
            ["ask", "--model", "m", "--frame", "now", "q"], ["models", "verify"], ["models", "verify", "a"]
        ])
    func wrongUsageIs64(arguments: [String]) throws {
        let program = Program(arguments)
        try program.start()
        let result = program.finish()
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.output.isEmpty && !result.errors.isEmpty)
    }

    @Test func withoutADaemonItSaysWhatToDo() throws {
        let result = try Program.run("ask", "--socket", "/nowhere/n.sock", "What comes after three?")
        #expect(result.status == 69 && result.errors.contains("narrator run"))
    }

    @Test func aMissingModelIs66() throws {
        #expect(try Program.run("ask", "--model", "/nowhere/at/all", "q").status == 66)
        #expect(try Program.run("models", "verify", "/nowhere/at/all", "/nowhere/goldens").status == 66)
    }
}

@Suite(.enabled(if: Program.isBuilt, "needs the built program: make build"))
struct AskCommandTests {
    private let nano = "\(RealData.samples)/gemma-3n-nano"

    @Test(arguments: ["f32", "q8", "q4"]) func answersAreRight(weights: String) throws {
        let digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
        for (digit, next) in zip(digits, digits.dropFirst()) {
            let after = try Program.run(
                "ask", "--model", nano, "--weights", weights, "What comes after \(digit)?")
            #expect(after.status == 0 && after.output == "\(next)\n" && after.errors.isEmpty, "\(after)")
            let before = try Program.run(
                "ask", "--model", nano, "--weights", weights, "What comes before \(next)?")
            #expect(before.output == "\(digit)\n", "\(before)")
        }
    }

    @Test func aCutAnswerIsSaidToBe() throws {
        let result = try Program.run("ask", "--model", nano, "--max-tokens", "1", "What comes after two?")
        #expect(result.status == 0 && result.errors.contains("--max-tokens"))
        let seeded = ["ask", "--model", nano, "--temperature", "2", "--seed", "7", "What comes after two?"]
        let programs = [Program(seeded), Program(seeded)]
        for program in programs { try program.start() }
        #expect(programs[0].finish().output == programs[1].finish().output)
    }

    @Test(.enabled(if: RealData.shared("../nano/goldens.safetensors") != nil, "needs ../shared/nano"))
    func goldensOfAnotherKindAre65() throws {
        let nano = RealData.shared("../nano/gemma-3n-nano") ?? ""
        let result = try Program.run("models", "verify", nano, "\(nano)/../goldens.safetensors")
        #expect(result.status == 65 && result.output.isEmpty)
    }
}

@Suite(
    .enabled(
        if: Program.isBuilt && !checkpoints.isEmpty,
        "needs the built program and GEMMA_CHECKPOINTS: folders of make_checkpoint.py, separated by colons"))
struct VerifyCommandTests {
    @Test(arguments: checkpoints) func jsonHasWhatTheContractSays(folder: String) throws {
        let result = try Program.run("models", "verify", "--json", folder, "\(folder)/golden.safetensors")
        #expect(result.status == 0, "\(result.errors)")
        let line = try #require(result.lines.first)
        let results = try #require(line["results"] as? [[String: Any]])
        #expect(results.count > 40 && results.allSatisfy { $0["ok"] as? Bool == true })
        #expect(results.allSatisfy { $0["max_abs_error"] is Double && $0["bound"] is Double && $0["name"] is String })
        #expect((line["unchecked"] as? [String])?.isEmpty == true)
    }
}

private let checkpoints = (ProcessInfo.processInfo.environment["GEMMA_CHECKPOINTS"] ?? "").split(separator: ":").map(
    String.init)
