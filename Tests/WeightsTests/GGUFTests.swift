import Foundation
import Kernels
import TestSupport
import Testing
import Weights

/// Files of the reference implementation; `make_gguf_goldens.py` made them.
struct GGUFTests {
    static let types: [ElementType] = [
        .float16, .bfloat16, .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .q4_K, .q5_K, .q6_K
    ]

    @Test(arguments: types) func widensEveryTypeBitForBit(type: ElementType) throws {
        let checkpoint = try Checkpoint.open(golden("types.gguf").path)
        let name = type.name
        #expect(checkpoint.entry(name)?.type == type)
        let index = Self.types.firstIndex(of: type)!
        let expected = try floats(at: golden("types.f32"))[(index * 3 * 512)..<((index + 1) * 3 * 512)]
        let all = try checkpoint.floats(name, shape: [5, 512])
        #expect(all[512..<4 * 512].elementsEqual(expected) { $0.bitPattern == $1.bitPattern })
    }

    @Test(arguments: types) func rowsEqualTheirPartOfTheWhole(type: ElementType) throws {
        let checkpoint = try Checkpoint.open(golden("types.gguf").path)
        let all = try checkpoint.floats(type.name, shape: [5, 512])
        for rows in [0..<0, 0..<1, 1..<4, 4..<5, 0..<5] {
            let part = try checkpoint.floats(type.name, shape: [5, 512], rows: rows)
            #expect(part == Array(all[rows.lowerBound * 512..<rows.upperBound * 512]))
        }
    }

    /// The rows of a vector are its elements, whatever blocks these are stored in.
    @Test func rowsOfAVectorOfBlocksAreItsElements() throws {
        var file = GGUFFile()
        file.tensors = [GGUFFile.Tensor(name: "v", dimensions: [96], type: 8)]  // Q8_0
        file.payload = (0..<3).flatMap { block in [0x00, 0x3C] + (0..<32).map { UInt8(32 * block + $0) } }
        let path = try TemporaryFile(file.bytes)
        let checkpoint = try Checkpoint.open(path.path)
        for rows in [0..<1, 31..<33, 95..<96, 5..<90, 32..<64] {
            #expect(try checkpoint.floats("v", shape: [96], rows: rows) == rows.map(Float.init))
        }
    }

    @Test func readsValuesOfEveryKind() throws {
        let checkpoint = try Checkpoint.open(golden("header.gguf").path)
        let header = try #require(checkpoint.header)
        #expect(checkpoint.format == .gguf(version: 3))
        #expect(header.alignment == 128)
        #expect(try header.architecture == "gemma3n")
        let integers = [
            "u8": 200, "i8": -100, "u16": 60_000, "i16": -30_000, "u32": 4_000_000_000, "i32": -2_000_000_000,
            "u64": 1 << 40, "i64": -(1 << 40)
        ]
        for (key, integer) in integers { #expect(try header.integer(key) == integer) }
        #expect(try header.float("f32") == 0.1 && header.float("f64") == 0.1)
        #expect(try header.flag("yes") && !header.flag("no"))
        #expect(try header.text("text") == "naïve 😀")
        #expect(try header.texts("texts") == ["<pad>", "", "▁the", "\n"])
        #expect(try header.integers("i32s") == [-1, 0, 70_000])
        #expect(try header.floats("f32s") == [0.5, -1])
        #expect(try header.flags("flags") == [true, false, true])
        #expect(try header.count(of: "texts") == 4)
        #expect(header.contains("text") && !header.contains("nothing"))
    }

    @Test func refusesValuesOfAnotherKind() throws {
        let checkpoint = try Checkpoint.open(golden("header.gguf").path)
        let header = try #require(checkpoint.header)
        let path = checkpoint.path
        #expect(throws: WeightsError.noSuchValue(path: path, key: "nothing")) { try header.integer("nothing") }
        func wrong(_ key: String, _ found: String, _ wanted: String) -> WeightsError {
            .wrongValue(path: path, key: key, found: found, wanted: wanted)
        }
        #expect(throws: wrong("f32", "float32", "a whole number")) { try header.integer("f32") }
        #expect(throws: wrong("u64.max", "uint64", "a whole number")) { try header.integer("u64.max") }
        #expect(throws: wrong("u8", "uint8", "a float")) { try header.float("u8") }
        #expect(throws: wrong("texts", "an array of 4 text", "a text in UTF-8")) { try header.text("texts") }
        #expect(throws: wrong("text", "text", "an array of texts in UTF-8")) { try header.texts("text") }
        #expect(throws: wrong("i32s", "an array of 3 int32", "an array of floats")) { try header.floats("i32s") }
        #expect(throws: wrong("f32s", "an array of 2 float32", "an array of whole numbers")) {
            try header.integers("f32s")
        }
    }

    @Test func readsElementsThatAreStoredOneByOne() throws {
        let checkpoint = try Checkpoint.open(golden("header.gguf").path)
        #expect(checkpoint.names == ["cube", "f32", "f64", "i16", "i32", "i64", "i8"])
        #expect(try checkpoint.floats("f32", shape: [2, 3]) == [0, 1, 2, 3, 4, 5])
        #expect(try checkpoint.floats("f64", shape: [2, 1]) == [0.1, -2])
        #expect(try checkpoint.floats("cube", shape: [2, 3, 4], rows: 1..<2) == (12..<24).map(Float.init))
        #expect(try checkpoint.integer("i32") == -7 && checkpoint.integer("i64") == 1 << 40)
        #expect(try Array(checkpoint.bytes("i8")) == [0xFD, 0xFE, 0xFF, 0, 1, 2])
        let region = try checkpoint.mapped("i8")
        #expect(region.isAligned(to: 128) && region.withBytes { Array($0) } == [0xFD, 0xFE, 0xFF, 0, 1, 2])
    }

    /// A folder with one checkpoint in it is that checkpoint.
    @Test func readsTheOnlyFileOfAFolder() throws {
        let bytes = try [UInt8](Data(contentsOf: golden("header.gguf")))
        let file = try TemporaryFile(bytes, name: "model.gguf")
        #expect(try Checkpoint.open(file.folder).format == .gguf(version: 3))
        try Data(bytes).write(to: URL(fileURLWithPath: file.folder + "/other.gguf"))
        #expect(throws: WeightsError.ambiguous(path: file.folder, candidates: ["model.gguf", "other.gguf"])) {
            try Checkpoint.open(file.folder)
        }
    }
}

extension ElementType {
    /// As the golden files call it.
    fileprivate var name: String {
        switch self {
        case .float16: "f16"
        case .bfloat16: "bf16"
        default: rawValue.lowercased()
        }
    }
}
