import Foundation
import Testing
import Tokenizers

/// The store of pulled models.
let modelStore: String =
    ProcessInfo.processInfo.environment["NARRATOR_MODELS"] ?? NSHomeDirectory() + "/.cache/narrator/models"

let pulledModels = ["whisper-tiny.en", "whisper-base"].filter {
    FileManager.default.fileExists(atPath: "\(modelStore)/\($0)/tokenizer.json")
}

@Suite(.enabled(if: !pulledModels.isEmpty, "waits for whisper-tiny.en or whisper-base in the model store"))
struct GoldenTests {
    struct Golden: Decodable {
        struct Case: Decodable { let text: String, ids: [Int] }
        let encoded: [Case]
        let decoded: [Case]
    }

    static func golden(_ model: String) throws -> Golden {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
        return try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: folder.appendingPathComponent("\(model).json")))
    }

    @Test(arguments: pulledModels)
    func encodesAsTheReference(model: String) throws {
        let tokenizer = try ByteLevelBPE(folder: "\(modelStore)/\(model)")
        for item in try Self.golden(model).encoded {
            #expect(try tokenizer.encode(item.text) == item.ids, "\(item.text.debugDescription)")
        }
    }

    @Test(arguments: pulledModels)
    func decodesAsTheReference(model: String) throws {
        let tokenizer = try ByteLevelBPE(folder: "\(modelStore)/\(model)")
        for item in try Self.golden(model).decoded {
            #expect(tokenizer.decode(item.ids) == item.text, "\(item.ids)")
        }
    }

    @Test(arguments: pulledModels)
    func piecesEqualTheWhole(model: String) throws {
        let tokenizer = try ByteLevelBPE(folder: "\(modelStore)/\(model)")
        let golden = try Self.golden(model)
        for item in golden.decoded + golden.encoded {
            var text = TokenText(tokenizer)
            let pieces = item.ids.map { text.append($0) } + [text.finish()]
            #expect(pieces.joined().unicodeScalars.elementsEqual(tokenizer.decode(item.ids).unicodeScalars))
        }
    }

    @Test(arguments: pulledModels)
    func findsTheSpecialTokensOfItsVocabulary(model: String) throws {
        let tokenizer = try ByteLevelBPE(folder: "\(modelStore)/\(model)")
        let multilingual = model == "whisper-base"
        #expect(tokenizer.count == (multilingual ? 51_865 : 51_864))
        #expect(try tokenizer.id(of: "<|endoftext|>") == (multilingual ? 50_257 : 50_256))
        #expect(try tokenizer.id(of: "<|0.00|>") == (multilingual ? 50_364 : 50_363))
        #expect(try tokenizer.id(of: "<|30.00|>") == tokenizer.count - 1)
        #expect(tokenizer.specials.count == 1_501 + 107)
    }
}
