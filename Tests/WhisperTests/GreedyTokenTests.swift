import Foundation
import Kernels
import Speech
import TestSupport
import Testing
import Whisper

/// Greedy tokens in float32 equal those of CTranslate2 (`make_goldens.py`), up to the first near tie.
struct GreedyTokenTests {
    private static func golden(_ name: String) throws -> [String: [Int]] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name).json")
        return try JSONDecoder().decode([String: [Int]].self, from: try Data(contentsOf: file))
    }

    private func compare(_ golden: [String: [Int]], model: WhisperModel) throws {
        let folder = try #require(RealData.shared("speech"))
        var compared = 0
        for (clip, expected) in golden where clip.hasSuffix(".wav") {
            let samples = try wavSamples(at: URL(filePath: "\(folder)/\(clip)"))
            let hypothesis = try RealWhisper.hear(samples, model: model) { $0.language = "en" }
            let tokens = hypothesis.words.flatMap(\.tokens)
            #expect(Array(tokens.prefix(expected.count)) == expected, "\(clip)")
            compared += expected.count
        }
        #expect(compared > 1_000)
    }

    @Test(
        .enabled(if: RealData.model("whisper-tiny.en") != nil, "needs the model: narrator models pull whisper-tiny.en"),
        .enabled(if: RealData.shared("speech") != nil, "needs ../shared/data"))
    func tinyEnglishChoosesTheTokensOfTheReference() throws {
        try compare(try Self.golden("greedy-tiny.en"), model: try #require(RealWhisper.tinyFloat))
    }

    @Test(
        .enabled(if: RealData.model("whisper-base") != nil, "needs the model: narrator models pull whisper-base"),
        .enabled(if: RealData.shared("speech") != nil, "needs ../shared/data"))
    func baseChoosesTheTokensOfTheReference() throws {
        try compare(try Self.golden("greedy-base"), model: try #require(RealWhisper.baseFloat))
    }

    /// Check values of the format notes.
    @Test(
        .enabled(if: RealData.model("whisper-tiny.en") != nil, "needs the model: narrator models pull whisper-tiny.en"))
    func theSampleGivesTheTokensOfTheFormatNotes() throws {
        let tokens = [
            843, 523, 616, 5891, 3399, 1265, 407, 644, 534, 1499, 460, 466, 329, 345, 11, 1265, 644, 345, 460, 466, 329,
            534, 1499, 13
        ]
        let jfk = try RealWhisper.jfk()
        let plain = try RealWhisper.hear(jfk, model: try #require(RealWhisper.tinyFloat))
        #expect(plain.words.flatMap(\.tokens) == tokens)
        let timed = try RealWhisper.hear(jfk, model: try #require(RealWhisper.tinyFloat)) { $0.timestamps = true }
        // Between the two segments stands a pair of timestamps in place of the comma.
        #expect(timed.words.flatMap(\.tokens) == tokens.filter { $0 != 11 })
    }
}
