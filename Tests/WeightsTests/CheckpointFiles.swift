import Foundation
import Testing

/// Writes bytes to a file that lives as long as the value.
struct TemporaryFile: ~Copyable {
    let path: String

    init(_ bytes: [UInt8], name: String = "model.bin") throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weights-\(UUID().uuidString)")
        path = folder.appendingPathComponent(name).path
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try write(bytes, to: path)
    }

    var folder: String { (path as NSString).deletingLastPathComponent }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}

/// Without the wait for the disk that Foundation adds, as tests write thousands of files.
func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}

func littleEndian<Number: FixedWidthInteger>(_ numbers: Number...) -> [UInt8] { littleEndian(numbers) }

func littleEndian<Number: FixedWidthInteger>(_ numbers: [Number]) -> [UInt8] {
    numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
}

/// A CTranslate2 file, field by field, so that a test can lie in each.
struct CTranslate2File {
    struct Variable {
        var name: String
        var shape: [Int] = []
        var type: UInt8
        var payload: [UInt8]
        var claimedBytes: UInt32?
        var claimedRank: UInt8?
    }

    var version: UInt32 = 6
    var variables: [Variable] = []
    var aliases: [(String, String)] = []
    var claimedVariables: UInt32?
    var tail: [UInt8] = []

    static func string(_ text: String) -> [UInt8] { littleEndian(UInt16(text.utf8.count + 1)) + Array(text.utf8) + [0] }

    var bytes: [UInt8] {
        var bytes = littleEndian(version) + Self.string("WhisperSpec") + littleEndian(UInt32(3))
        bytes += littleEndian(claimedVariables ?? UInt32(variables.count))
        for variable in variables {
            bytes += Self.string(variable.name) + [variable.claimedRank ?? UInt8(variable.shape.count)]
            bytes += littleEndian(variable.shape.map(UInt32.init))
            bytes += [variable.type] + littleEndian(variable.claimedBytes ?? UInt32(variable.payload.count))
            bytes += variable.payload
        }
        bytes += littleEndian(UInt32(aliases.count))
        for (alias, target) in aliases { bytes += Self.string(alias) + Self.string(target) }
        return bytes + tail
    }

    /// One of everything a Whisper file holds: half precision, quantised rows with their scale, scalars, an alias.
    static let sample: CTranslate2File = {
        let half: [UInt16] = [0x3C00, 0xC000, 0x0001, 0x7BFF, 0x3555, 0x8000]  // 1, −2, 2^−24, 65504, 1/3, −0
        return CTranslate2File(
            variables: [
                Variable(name: "encoder/bias", shape: [6], type: 4, payload: littleEndian(half)),
                Variable(name: "embeddings/weight", shape: [2, 3], type: 1, payload: [1, 2, 0xFF, 127, 0x81, 0]),
                Variable(
                    name: "embeddings/weight_scale", shape: [2], type: 0,
                    payload: littleEndian([Float(2).bitPattern, Float(254).bitPattern])),
                Variable(name: "encoder/num_heads", type: 2, payload: littleEndian(Int16(6))),
                Variable(name: "decoder/layer", type: 1, payload: littleEndian(Int8(-1))),
                Variable(
                    name: "decoder/bfloat", shape: [2, 1], type: 5, payload: littleEndian([UInt16(0x3F80), 0xC040])),
                Variable(name: "decoder/int16", shape: [2], type: 2, payload: littleEndian([Int16(512), -1024])),
                Variable(
                    name: "decoder/int16_scale", type: 0, payload: littleEndian(Float(1024).bitPattern))
            ],
            aliases: [("projection/weight", "embeddings/weight")])
    }()
}

/// A safetensors file of a header and a payload.
func safetensors(_ header: String, payload: [UInt8], claimedHeader: UInt64? = nil) -> [UInt8] {
    littleEndian(claimedHeader ?? UInt64(header.utf8.count)) + Array(header.utf8) + payload
}

let safetensorsSample = safetensors(
    #"{"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}, "#
        + #""\u00e9\ud83d\ude00":{"shape":[],"dtype":"BF16","data_offsets":[8,10]},"n":{"dtype":"I32","shape":[1],"#
        + #""data_offsets":[10,14]}}   "#,
    payload: littleEndian([Float(1.5).bitPattern, Float(-0.25).bitPattern]) + [0x80, 0x3F] + littleEndian(Int32(-7)))
