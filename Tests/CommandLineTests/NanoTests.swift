import Foundation
import TestSupport
import Testing

/// The tiny Gemma of samples/ on its own clips and pictures, against what the reference says of them.
@Suite(.enabled(if: Program.isBuilt, "needs the built program: make build"))
struct NanoTests {
    private static let nano = "\(RealData.samples)/gemma-3n-nano"

    struct Expected: CustomTestStringConvertible {
        let file: String
        let text: String
        var testDescription: String { file }
        var name: String { (file as NSString).lastPathComponent }
    }

    /// Files with the reference's greedy text.
    static func expected(_ folder: String) -> [Expected] {
        let table = (try? String(contentsOfFile: "\(nano)/\(folder)/expected.tsv", encoding: .utf8)) ?? ""
        return table.split(separator: "\n").dropFirst().map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            return Expected(file: "\(nano)/\(folder)/\(columns[0])", text: String(columns[2]))
        }
    }

    private func transcribe(_ options: String...) throws -> [String: [String: Any]] {
        let program = Program(
            ["transcribe", "--model", Self.nano, "--format", "json"] + options + Self.expected("clips").map(\.file))
        try program.start()
        let result = program.finish()
        #expect(result.status == 0, "\(result.errors)")
        return Dictionary(uniqueKeysWithValues: result.lines.map { ($0["file"] as? String ?? "", $0) })
    }

    @Test func theSampleIsWhole() {
        #expect(Self.expected("clips").count == 12 && Self.expected("pictures").count == 10)
    }

    /// The margin of the last digit but two of this clip is 0.05: what is rounded to 8 bits falls to the other side.
    private static let closeCalls = ["digits-07.wav"]

    @Test(arguments: ["f32", "q8"]) func clipsAreHeardAsTheReferenceHearsThem(weights: String) throws {
        let heard = try transcribe("--vad", "off", "--weights", weights)
        for clip in Self.expected("clips") where weights == "f32" || !Self.closeCalls.contains(clip.name) {
            #expect(heard[clip.file]?["text"] as? String == clip.text, "\(clip.file)")
        }
    }

    /// The 20-second clip is left out: it is longer than one stretch of sound, so it is heard in two.
    @Test(arguments: ["f32", "q8"]) func theLivePathHearsTheSameAndTakesNothingBack(weights: String) throws {
        let heard = try transcribe("--stream", "--vad", "off", "--weights", weights)
        for clip in Self.expected("clips") {
            let told = try #require(heard[clip.file])
            #expect(told["retractions"] as? Int == 0, "\(clip.file)")
            if clip.name == "digits-20s.wav" || (weights != "f32" && Self.closeCalls.contains(clip.name)) { continue }
            #expect(told["text"] as? String == clip.text, "\(clip.file)")
        }
        #expect(heard.values.contains { ($0["partials"] as? Int ?? 0) > 3 })
    }

    /// What was said, of the clips that the reference hears wrong as well.
    private static let spoken = ["digits-20s.wav": "eight six nine four two six one one five"]

    @Test func longSpeechIsHeardInStretchesWithoutLossOrDoubling() throws {
        let heard = try transcribe("--stream", "--vad", "off")
        for (name, text) in Self.spoken {
            #expect(heard["\(Self.nano)/clips/\(name)"]?["text"] as? String == text)
        }
    }

    @Test(arguments: ["f32", "q8", "q4"]) func picturesAreReadAsTheReferenceReadsThem(weights: String) throws {
        let pictures = Self.expected("pictures")
        let program = Program(
            ["describe", "--model", Self.nano, "--weights", weights, "--format", "json"] + pictures.map(\.file))
        try program.start()
        let result = program.finish()
        #expect(result.status == 0 && result.lines.count == pictures.count, "\(result.errors)")
        for (line, picture) in zip(result.lines, pictures) {
            #expect(line["image_tokens"] as? Int == 256)
            // In 4 bits two of ten captions have another digit.
            if weights != "q4" { #expect(line["text"] as? String == picture.text, "\(picture.file)") }
        }
    }

    @Test func aQuantisedFileHearsAndSees() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = "\(scratch.path)/nano.gguf"
        #expect(try Program.run("models", "quantize", Self.nano, "--to", "q8", "-o", file).status == 0)
        let clip = "\(Self.nano)/clips/digits-04.wav"
        let heard = try Program.run("transcribe", "--vad", "off", "--model", file, clip)
        #expect(heard.output == "zero five seven zero\n", "\(heard.errors)")
        let picture = "\(Self.nano)/pictures/picture-09.jpg"
        let seen = try Program.run("describe", "--model", file, "--resolution", "256", picture)
        #expect(seen.output == "zero and one on a white background\n", "\(seen.errors)")
        let asked = try Program.run("ask", "--model", file, "--image", picture, "Describe this picture.")
        #expect(asked.output == "zero and one on a white background\n", "\(asked.errors)")
    }

    @Test func translationAsksForOneAndWhisperRefuses() throws {
        let clip = "\(Self.nano)/clips/digits-04.wav"
        let result = try Program.run("transcribe", "--vad", "off", "--model", Self.nano, "--translate", "de", clip)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try Program.run("describe", "--model", Self.nano, "--resolution", "300", clip).status == 64)
        #expect(try Program.run("describe", "--model", Self.nano, clip).status == 65)
    }
}
