import Foundation
import TestSupport
import Testing

/// `narrator models quantize` and what is done with its file.
@Suite(
    .enabled(
        if: Program.isBuilt && RealData.shared("../nano/gemma-3n-nano") != nil,
        "needs the built program and ../shared/nano"))
struct QuantizeCommandTests {
    private let nano = RealData.shared("../nano/gemma-3n-nano") ?? ""

    @Test func exitStatusesTellWhatWentWrong() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let out = "\(scratch.path)/out.gguf"
        let text = try scratch.write("text.gguf", "this is no checkpoint, whatever its name")
        let cases: [(status: Int32, arguments: [String])] = [
            (64, [nano, "-o", out]), (64, [nano, "--to", "q4"]), (64, [nano, "--to", "q5", "-o", out]),
            (64, [nano, "--to", "q4", "-o", out, "--slice", "e2b"]),
            (64, [nano, "--to", "q4", "-o", out, "--slice", "nonsense"]),
            (66, ["/nowhere/at/all", "--to", "q4", "-o", out]),
            (66, [scratch.path + "/none.gguf", "--to", "q8", "-o", out]),
            (65, [text, "--to", "q4", "-o", out]),
            (77, [nano, "--to", "q4", "-o", "\(scratch.path)/none/out.gguf"]),
            (77, [nano, "--to", "q4", "-o", scratch.path])
        ]
        for (status, arguments) in cases {
            let program = Program(["models", "quantize"] + arguments)
            try program.start()
            let result = program.finish()
            #expect(
                result.status == status && !result.errors.isEmpty && result.output.isEmpty, "\(arguments): \(result)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["text.gguf"])
    }

    /// A pipe stands for whatever is there and is no file: it must not be replaced by one.
    @Test func whatIsNoFileIsNotReplaced() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let pipe = "\(scratch.path)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        let result = try Program.run("models", "quantize", nano, "--to", "q4", "-o", pipe)
        #expect(result.status == 77 && result.errors.contains("is no file"), "\(result)")
        var status = stat()
        #expect(stat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    @Test(arguments: ["q4", "q8"]) func theFileAnswersAndIsInspected(weights: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = "\(scratch.path)/nano.gguf"
        let made = try Program.run("models", "quantize", nano, "--to", weights, "-o", file)
        #expect(made.status == 0 && made.output.isEmpty, "\(made)")
        let again = try Program.run("models", "quantize", nano, "--to", weights, "--quiet", "-o", file)
        #expect(again.status == 0 && again.errors.isEmpty, "an older file is replaced: \(again)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["nano.gguf"])

        for (question, answer) in [("What comes after three?", "four\n"), ("What comes before nine?", "eight\n")] {
            let result = try Program.run("ask", "--model", file, question)
            #expect(result.status == 0 && result.output == answer, "\(result)")
        }
        #expect(try Program.run("ask", "--model", file, "--weights", "f32", "q").status == 64)
        #expect(try Program.run("models", "quantize", file, "--to", "q4", "-o", "\(file)2").status == 65)

        let inspected = try Program.run("models", "inspect", "--json", file)
        #expect(inspected.status == 0)
        #expect(inspected.lines.first?["architecture"] as? String == "gemma3n")
        #expect((inspected.lines.first?["tensor_count"] as? Int ?? 0) > 100)

        let measured = try Program.run("bench", "--json", "--model", file, "--prefill", "20", "--decode", "5")
        #expect(measured.lines.first?["weights"] as? String == weights)
        let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
        #expect(measured.lines.first?["model_bytes"] as? Int == size)
    }

    @Test func aFileThatWasCutIs65() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = "\(scratch.path)/nano.gguf"
        _ = try Program.run("models", "quantize", nano, "--to", "q4", "-o", file)
        let bytes = try Data(contentsOf: URL(filePath: file))
        for count in [0, 7, 1_000, bytes.count / 2, bytes.count - 100] {
            try bytes.prefix(count).write(to: URL(filePath: file))
            for command in [["ask", "q", "--model"], ["bench", "--model"], ["models", "inspect"]] {
                let program = Program(command + [file])
                try program.start()
                let result = program.finish()
                #expect(result.status == 65 && result.output.isEmpty, "\(command) of \(count) bytes: \(result)")
            }
        }
    }
}
