import Foundation
import Testing
@testable import Weights

struct CheckpointTests {
    @Test func readsEveryStoredTypeOfCTranslate2() throws {
        let file = try TemporaryFile(CTranslate2File.sample.bytes)
        let checkpoint = try Checkpoint.open(file.path)
        #expect(checkpoint.format == .ctranslate2(spec: "WhisperSpec", revision: 3))
        #expect(checkpoint.names.count == 8)
        let half = try checkpoint.floats("encoder/bias", shape: [6])
        #expect(half == [1, -2, 0x1p-24, 65_504, Float(Float16(bitPattern: 0x3555)), -0.0])
        #expect(try checkpoint.floats("embeddings/weight", shape: [2, 3]) == [0.5, 1, -0.5, 0.5, -0.5, 0])
        #expect(try checkpoint.floats("decoder/bfloat", shape: [2, 1]) == [1, -3])
        #expect(try checkpoint.floats("decoder/int16", shape: [2]) == [0.5, -1])
        #expect(try checkpoint.integer("encoder/num_heads") == 6)
        #expect(try checkpoint.integer("decoder/layer") == -1)
    }

    @Test func anAliasNamesTheTensorAndItsScale() throws {
        let file = try TemporaryFile(CTranslate2File.sample.bytes)
        let checkpoint = try Checkpoint.open(file.folder)
        let weight = try #require(checkpoint.entry("projection/weight"))
        #expect(weight.name == "embeddings/weight" && weight.shape == [2, 3] && weight.type == .int8)
        #expect(checkpoint.entry("projection/weight_scale")?.shape == [2])
        #expect(try checkpoint.floats("projection/weight", shape: [2, 3])[3] == 0.5)
        #expect(try Array(checkpoint.bytes("projection/weight")) == [1, 2, 0xFF, 127, 0x81, 0])
        #expect(checkpoint.entry("projection/bias") == nil)
    }

    @Test func readsSafetensors() throws {
        let file = try TemporaryFile(safetensorsSample, name: "vad.safetensors")
        let checkpoint = try Checkpoint.open(file.folder)
        #expect(checkpoint.format == .safetensors)
        #expect(checkpoint.names == ["a.weight", "n", "é😀"])
        #expect(try checkpoint.floats("a.weight", shape: [2, 1]) == [1.5, -0.25])
        #expect(try checkpoint.floats("é😀", shape: []) == [1])
        #expect(try checkpoint.integer("n") == -7)
    }

    /// Scaled by rows, scaled as one, stored turned by torch, in blocks: rows are what they are in the whole.
    @Test(arguments: HostileCheckpointTests.samples) func rowsEqualTheirPartOfTheWhole(bytes: [UInt8]) throws {
        let file = try TemporaryFile(bytes)
        let checkpoint = try Checkpoint.open(file.path)
        var compared = 0
        for name in checkpoint.names {
            let shape = try checkpoint.shape(of: name)
            guard let count = shape.first, let all = try? checkpoint.floats(name, shape: shape) else { continue }
            for first in 0..<count {
                for end in first...count {
                    let part = try checkpoint.floats(name, shape: shape, rows: first..<end)
                    #expect(part == Array(all[first * all.count / count..<end * all.count / count]))
                    compared += 1
                }
            }
        }
        #expect(compared > 0)
    }

    @Test func widensEveryHalf() {
        for bits in UInt16.min...UInt16.max {
            let expected = Float(Float16(bitPattern: bits))
            let widened = widenHalf(bits)
            guard widened.bitPattern != expected.bitPattern, !(widened.isNaN && expected.isNaN) else { continue }
            Issue.record("0x\(String(bits, radix: 16)): \(widened), expected \(expected)")
        }
    }

    @Test func refusesAnotherShapeTypeOrName() throws {
        let file = try TemporaryFile(CTranslate2File.sample.bytes)
        let checkpoint = try Checkpoint.open(file.path)
        #expect(throws: WeightsError.wrongShape(name: "encoder/bias", found: [6], expected: [2, 3])) {
            try checkpoint.floats("encoder/bias", shape: [2, 3])
        }
        #expect(throws: WeightsError.noSuchTensor(name: "nobody")) { try checkpoint.floats("nobody", shape: []) }
        #expect(throws: WeightsError.noSuchTensor(name: "nobody")) { try checkpoint.shape(of: "nobody") }
        #expect(throws: WeightsError.wrongShape(name: "encoder/bias", found: [6], expected: [])) {
            try checkpoint.integer("encoder/bias")
        }
        #expect(throws: WeightsError.badScale(name: "decoder/layer_scale", what: "is missing")) {
            try checkpoint.floats("decoder/layer", shape: [])
        }
    }

    @Test(arguments: [[0, 254], [.nan, 1], [2], [1, 2, 3], []] as [[Float]])
    func refusesScalesThatCannotBe(scales: [Float]) throws {
        var sample = CTranslate2File.sample
        sample.variables[2].shape = [scales.count]
        sample.variables[2].payload = littleEndian(scales.map(\.bitPattern))
        let file = try TemporaryFile(sample.bytes)
        let checkpoint = try Checkpoint.open(file.path)
        if scales == [2] {  // one for all is legal
            #expect(try checkpoint.floats("embeddings/weight", shape: [2, 3])[3] == 63.5)
        } else {
            #expect(throws: WeightsError.self) { try checkpoint.floats("embeddings/weight", shape: [2, 3]) }
        }
    }

    @Test func saysWhereNothingIs() throws {
        #expect(throws: WeightsError.notFound(path: "/nowhere/model.bin")) { try Checkpoint.open("/nowhere/model.bin") }
        #expect(throws: WeightsError.unreadable(path: "/dev/zero", reason: "it is not a plain file")) {
            try Checkpoint.open("/dev/zero")
        }
        let other = try TemporaryFile(Array("NumPy of another program".utf8), name: "pytorch_model.bin")
        #expect(throws: WeightsError.unknownFormat(path: other.path)) { try Checkpoint.open(other.path) }
        #expect(throws: WeightsError.notFound(path: other.folder)) { try Checkpoint.open(other.folder) }
    }
}
