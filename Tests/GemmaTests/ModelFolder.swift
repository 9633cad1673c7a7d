import Foundation
import Testing

/// A model in Hugging Face form, written for a test.
struct ModelFolder {
    enum Precision: String, CaseIterable {
        case bfloat16 = "BF16"
        case float32 = "F32"

        func bytes(_ values: [Float]) -> Data {
            switch self {
            case .bfloat16:
                values.map { UInt16($0.bitPattern >> 16).littleEndian }.withUnsafeBytes { Data($0) }
            case .float32: values.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) }
            }
        }

        var size: Int { self == .bfloat16 ? 2 : 4 }
    }

    struct Form: Sendable {
        var precision = Precision.bfloat16
        var isSharded = false
        var prefix = "model.language_model."
        var spelling = SampleModel.Spelling.nested
        /// Numbers of a tensor that nobody asks for and that takes no room on the disk.
        var idleNumbers = 0
        /// Rows, of 64 zeros each, of a table in the audio encoder that takes no room either.
        var tableRows = 0
    }

    /// Every spelling of each part at least once.
    static let forms = [
        Form(), Form(precision: .float32, spelling: .flat), Form(isSharded: true, prefix: "language_model.model."),
        Form(precision: .float32, isSharded: true, prefix: "model.", spelling: .flat)
    ]

    let folder: TemporaryFolder
    var path: String { folder.path }

    init(_ model: SampleModel = SampleModel(), _ form: Form = Form()) throws {
        folder = try TemporaryFolder()
        try Data(model.config(form.spelling).utf8).write(to: folder.url("config.json"))
        try Data(SampleTokenizer.json.utf8).write(to: folder.url("tokenizer.json"))
        var tensors = try model.tensors().map { name, shape in
            (name: form.prefix + name, shape: shape, values: SampleModel.values(name, shape))
        }
        tensors += Self.others.map { name, shape in (name, shape, SampleModel.values(name, [shape.reduce(1, *)])) }
        if !form.isSharded {
            try Self.write(
                tensors, form.precision, to: folder.url("model.safetensors"),
                holes: [
                    (name: "lm_head.idle", shape: [form.idleNumbers]),
                    (name: "model.audio_tower.table", shape: [form.tableRows, 64])
                ].filter { $0.shape[0] > 0 })
            return
        }
        var index: [String] = []
        for (part, name) in ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"].enumerated() {
            let some = tensors.indices.filter { $0 % 2 == part }.map { tensors[$0] }
            try Self.write(some, form.precision, to: folder.url(name))
            index += some.map { "\"\($0.name)\": \"\(name)\"" }
        }
        let text = "{\"metadata\": {\"total_size\": 0}, \"weight_map\": {\(index.joined(separator: ",\n"))}}"
        try Data(text.utf8).write(to: folder.url("model.safetensors.index.json"))
    }

    /// What a published folder holds beside the text model.
    private static let others: [(name: String, shape: [Int])] = [
        ("lm_head.weight", [40, 64]), ("model.audio_tower.conformer.0.ffw.weight", [64, 64]),
        ("model.audio_tower.conformer.0.per_dim_scale", [24]), ("model.audio_tower.gain", []),
        ("model.audio_tower.subsample.weight", [16, 1, 3, 3]), ("model.audio_tower.none", [3, 0]),
        ("model.vision_tower.blocks.0.conv.weight", [64, 32, 1, 1]), ("model.embed_vision.embedding.weight", [33, 64]),
        ("model.embed_audio.embedding_projection.weight", [64, 96]), ("model.vision_tower.odd.weight", [40, 5])
    ]

    static func write(
        _ tensors: [(name: String, shape: [Int], values: [Float])], _ precision: Precision, to file: URL,
        holes: [(name: String, shape: [Int])] = []
    ) throws {
        var (entries, offset) = ([String](), 0)
        func add(_ name: String, _ shape: [Int]) {
            let end = offset + shape.reduce(precision.size, *)
            entries.append(
                "\"\(name)\":{\"dtype\":\"\(precision.rawValue)\",\"shape\":\(shape),\"data_offsets\":[\(offset),\(end)]}"
            )
            offset = end
        }
        for tensor in tensors { add(tensor.name, tensor.shape) }
        for hole in holes { add(hole.name, hole.shape) }
        let header = Data("{\(entries.joined(separator: ","))}".utf8)
        var bytes = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
        for tensor in tensors { bytes += precision.bytes(tensor.values) }
        try bytes.write(to: file)
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: UInt64(8 + header.count + offset))
        try handle.close()
    }
}
