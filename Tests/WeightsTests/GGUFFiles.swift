/// A GGUF file, field by field, so that a test can lie in each.
struct GGUFFile {
    struct Value {
        var key: String
        var kind: UInt32
        var bytes: [UInt8]

        static func array(_ key: String, of kind: UInt32, count: UInt64, _ bytes: [UInt8]) -> Value {
            Value(key: key, kind: 9, bytes: littleEndian(kind) + littleEndian(count) + bytes)
        }
    }

    struct Tensor {
        var name: String
        var dimensions: [UInt64]  // innermost first
        var type: UInt32 = 0
        var offset: UInt64 = 0
        var claimedRank: UInt32?
    }

    var version: UInt32 = 3
    var values: [Value] = []
    var tensors: [Tensor] = []
    var payload: [UInt8] = []
    var alignment = 32
    var claimedTensors: UInt64?
    var claimedValues: UInt64?

    static func text(_ text: String, claimedLength: UInt64? = nil) -> [UInt8] {
        littleEndian(claimedLength ?? UInt64(text.utf8.count)) + Array(text.utf8)
    }

    var bytes: [UInt8] {
        var bytes = Array("GGUF".utf8) + littleEndian(version)
        bytes += littleEndian(claimedTensors ?? UInt64(tensors.count), claimedValues ?? UInt64(values.count))
        for value in values { bytes += Self.text(value.key) + littleEndian(value.kind) + value.bytes }
        for tensor in tensors {
            bytes += Self.text(tensor.name) + littleEndian(tensor.claimedRank ?? UInt32(tensor.dimensions.count))
            bytes += littleEndian(tensor.dimensions) + littleEndian(tensor.type) + littleEndian(tensor.offset)
        }
        bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
        return bytes + payload
    }

    /// Values of several kinds, a tensor of plain elements, one of blocks.
    static let sample = GGUFFile(
        version: 2,
        values: [
            Value(key: "general.architecture", kind: 8, bytes: text("gemma3n")),
            Value(key: "n", kind: 4, bytes: littleEndian(UInt32(7))),
            Value(key: "f", kind: 6, bytes: littleEndian(Float(0.5).bitPattern)),
            .array("texts", of: 8, count: 3, text("a") + text("") + text("▁the")),
            .array("numbers", of: 10, count: 2, littleEndian([UInt64.max, 1]))
        ],
        tensors: [
            Tensor(name: "a.weight", dimensions: [3, 2]),
            Tensor(name: "b.weight", dimensions: [32, 2], type: 2, offset: 32)  // Q4_0
        ],
        payload: [UInt8](repeating: 1, count: 24 + 8 + 36))
}
