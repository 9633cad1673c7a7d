import Foundation
import Gemma
import Kernels
import Layers
import TestSupport
import Testing
import Tokenizers
import Weights

/// Quantised files that lie.
struct HostileContainerTests {
    private let folder: TemporaryFolder
    private let whole = SmallContainer.parts

    init() throws {
        folder = try TemporaryFolder()
        try whole.write(to: folder.file("whole.gguf"))
    }

    /// An error of one of our modules, that says something.
    private func refuse(_ parts: ContainerParts, _ comment: String) throws {
        let path = folder.file("changed.gguf")
        try parts.write(to: path)
        do {
            try runEverything(path)
            Issue.record("\(comment): it runs")
        } catch {
            #expect(error is GemmaError || error is WeightsError || error is TokenizerError, "\(comment): \(error)")
            #expect("\(error)".count > 20)
        }
    }

    private func changed(_ change: (inout ContainerParts) throws -> Void) rethrows -> ContainerParts {
        var parts = whole
        try change(&parts)
        return parts
    }

    private func text(_ key: String) throws -> String {
        try Checkpoint.open(folder.file("whole.gguf")).header!.text(key)
    }

    private var layouts: [String] {
        get throws { try Checkpoint.open(folder.file("whole.gguf")).header!.texts("narrator.layouts") }
    }

    /// Whether it is of the encoders, which a text decoder does not ask for.
    private static func isOther(_ name: String) -> Bool { name.contains("audio") || name.contains("vision") }

    @Test func aWholeFileRunsAfterItsPartsWereWrittenAgain() throws {
        try whole.write(to: folder.file("again.gguf"))
        #expect(try runEverything(folder.file("again.gguf")) == runEverything(folder.file("whole.gguf")))
    }

    @Test func anotherVersionIsRefused() throws {
        for version in [GGUFValue.uint32(0), .uint32(2), .uint32(.max), .int32(-1), .text("1"), .float32(1), nil] {
            try refuse(changed { $0.set("narrator.version", version) }, "\(version as Any)")
        }
    }

    @Test func keysThatAreMissingOrOfAnotherKindAreRefused() throws {
        for key in ["general.architecture", "narrator.config", "narrator.layouts"] {
            for value in [nil, GGUFValue.uint32(1), .texts(["x"]), .int32s([1]), .text("")] {
                try refuse(changed { $0.set(key, value) }, "\(key) \(value as Any)")
            }
        }
    }

    @Test func aHeadInRowsNeedsItsSketch() throws {
        let (name, lines) = ("embed_tokens.weight.sketch", try layouts)
        let line = try #require(lines.firstIndex { $0.hasPrefix(name + " q2 panels") })
        let others = [
            lines[line].replacing("q2", with: "q4"), lines[line].replacing("q2", with: "q8"),
            lines[line].replacing("panels", with: "rows"), lines[line].replacing("panels", with: "windows")
        ]
        for other in others {
            var changed = lines
            changed[line] = other
            try refuse(self.changed { $0.set("narrator.layouts", .texts(changed)) }, other)
        }
        var without = lines
        without.remove(at: line)
        try refuse(changed { $0.set("narrator.layouts", .texts(without)) }, "no sketch")
        try refuse(changed { $0.remove(name) }, "no tensor of a sketch")
        try refuse(
            changed {
                $0.change(name) {
                    $0.bytes.removeLast(64 * $0.shape[0])
                    $0.shape[1] -= 64
                }
            }, "a short sketch")
    }

    /// Layout lines: `NAME FORMAT ORDER ROWS COLUMNS`, the first of a matrix of products.
    @Test(arguments: [
        "", " ", "NAME", "NAME q4 panels 64", "NAME q4 panels 64 64 64", "NAME q5 panels 64 64", "NAME q4 PANELS 64 64",
        "NAME bfloat16 panels 64 64", "NAME q4 panels 64 32", "NAME q4 panels 96 64", "NAME q4 panels 0 64",
        "NAME q4 panels -64 64", "NAME q4 panels 64 0", "NAME q4 panels 9223372036854775807 64",
        "NAME q4 panels 64 16777216", "NAME q4 panels 16777217 64", "NAME q4 panels 64 33", "NAME q4 panels 1e1 64",
        "NAME q8 panels 64 64", "NAME q4 rows 64 64", "NAME q4 columns 64 64", "nobody q4 panels 64 64",
        "norm.weight q4 panels 64 64", "tokenizer q4 panels 64 64", "NAME q4 panels 33 64"
    ])
    func aLayoutThatLiesIsRefused(line: String) throws {
        let name = "layers.0.self_attn.q_proj.weight"
        var lines = try layouts
        let index = try #require(lines.firstIndex(of: "\(name) q4 panels 64 64"))
        lines[index] = line.replacingOccurrences(of: "NAME", with: name)
        // 33 rows have as many panels as 64: what the decoder asks for is another number.
        try refuse(changed { $0.set("narrator.layouts", .texts(lines)) }, line)
    }

    @Test func layoutsTwiceAndLayoutsMissingAreRefused() throws {
        let lines = try layouts
        try refuse(changed { $0.set("narrator.layouts", .texts(lines + [lines[0]])) }, "twice")
        for index in lines.indices where !Self.isOther(lines[index]) {
            var fewer = lines
            fewer.remove(at: index)
            try refuse(changed { $0.set("narrator.layouts", .texts(fewer)) }, "without \(lines[index])")
        }
    }

    /// Rows, columns and panels of the same size as each other's, all of which would fit their bytes.
    @Test func ordersThatAreSwappedAreRefused() throws {
        let lines = try layouts
        for line in lines where !Self.isOther(line) {
            for order in ["panels", "rows", "columns"] where !line.contains(" \(order) ") {
                var words = line.split(separator: " ").map(String.init)
                words[2] = order
                let swapped = lines.map { $0 == line ? words.joined(separator: " ") : $0 }
                try refuse(changed { $0.set("narrator.layouts", .texts(swapped)) }, words.joined(separator: " "))
            }
        }
    }

    @Test(arguments: [
        ("\"num_hidden_layers\":3", "\"num_hidden_layers\":4"), ("\"num_hidden_layers\":3", "\"num_hidden_layers\":2"),
        ("\"num_hidden_layers\":3", "\"num_hidden_layers\":9223372036854775807"),
        ("\"hidden_size\":64", "\"hidden_size\":128"), ("\"hidden_size\":64", "\"hidden_size\":16384"),
        ("\"hidden_size\":64", "\"hidden_size\":1"), ("\"vocab_size\":352", "\"vocab_size\":353"),
        ("\"vocab_size\":352", "\"vocab_size\":2097152"), ("\"head_dim\":16", "\"head_dim\":32"),
        ("\"num_key_value_heads\":2", "\"num_key_value_heads\":1"),
        ("\"intermediate_size\":[32,256,256]", "\"intermediate_size\":[32,256,512]"),
        ("\"intermediate_size\":[32,256,256]", "\"intermediate_size\":[64,256,256]"),
        ("\"intermediate_size\":[32,256,256]", "\"intermediate_size\":256"),
        ("\"activation_sparsity_pattern\":[0.9,0,0]", "\"activation_sparsity_pattern\":[0,0,0]"),
        ("\"activation_sparsity_pattern\":[0.9,0,0]", "\"activation_sparsity_pattern\":[0.9,0.9,0]"),
        ("\"hidden_size_per_layer_input\":256", "\"hidden_size_per_layer_input\":255"),
        ("\"laurel_rank\":8", "\"laurel_rank\":16"), ("\"model_type\":\"gemma3n\"", "\"model_type\":\"gemma3\""),
        ("\"vocab_size_per_layer_input\":320", "\"vocab_size_per_layer_input\":319"), ("{", "[")
    ])
    func aConfigurationOfAnotherModelIsRefused(old: String, new: String) throws {
        let config = try text("narrator.config")
        let range = try #require(config.range(of: old), "\(old) in \(config)")
        let other = config.replacingCharacters(in: range, with: new)
        try refuse(changed { $0.set("narrator.config", .text(other)) }, new)
    }

    @Test func tensorsThatAreMissingAreNamed() throws {
        for tensor in whole.tensors where !Self.isOther(tensor.name) {
            try refuse(changed { $0.remove(tensor.name) }, "without \(tensor.name)")
        }
    }

    @Test func tensorsOfOtherShapesAndTypesAreRefused() throws {
        for tensor in whole.tensors where !Self.isOther(tensor.name) {
            let isPacked = tensor.type == .int8
            if tensor.name != "tokenizer" {
                try refuse(
                    changed {
                        $0.change(tensor.name) {
                            $0.type = isPacked ? .float32 : .int8
                            $0.shape = isPacked ? [$0.bytes.count / 4] : [$0.bytes.count]
                        }
                    }, "\(tensor.name) of another type")
            }
            try refuse(
                changed {
                    $0.change(tensor.name) {
                        $0.shape = [$0.shape[0] + 1] + $0.shape.dropFirst()
                        $0.bytes += [UInt8](repeating: 0, count: tensor.bytes.count / tensor.shape[0])
                    }
                }, "\(tensor.name) is longer")
            if tensor.shape.count == 2, tensor.shape[0] != tensor.shape[1], !isPacked {
                try refuse(changed { $0.change(tensor.name) { $0.shape.reverse() } }, "\(tensor.name) is turned")
            }
            try refuse(
                changed {
                    $0.change(tensor.name) {
                        $0.shape = [0]
                        $0.bytes = []
                    }
                }, "\(tensor.name) is empty")
        }
    }

    /// Bytes are whatever they are: scales that are no numbers too.
    @Test(arguments: [0xFF, 0x7F, 0x7C, 0x80, 0x00] as [UInt8]) func anyPayloadRuns(byte: UInt8) throws {
        for tensor in whole.tensors where tensor.name.hasPrefix("layers.0") || tensor.name.hasPrefix("embed") {
            let parts = changed {
                $0.change(tensor.name) { $0.bytes = [UInt8](repeating: byte, count: $0.bytes.count) }
            }
            try parts.write(to: folder.file("changed.gguf"))
            #expect(try runEverything(folder.file("changed.gguf")).count == SampleModel.textVocabulary)
        }
    }

    /// A file whose header says 32, so that its payloads lie where no kernel can read them.
    @Test func payloadsThatAreNotAlignedAreRefused() throws {
        var refused = 0
        for padding in 0..<64 {
            let path = folder.file("changed.gguf")
            try changed { $0.set("x", .text(String(repeating: "x", count: padding))) }.write(to: path)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            let key = try #require(bytes.range(of: Data("general.alignment".utf8)))
            bytes[key.upperBound + 4] = 32
            try bytes.write(to: URL(fileURLWithPath: path))
            // Where the header ends in the second half of 64 bytes nothing has moved.
            do {
                try runEverything(path)
            } catch {
                #expect(error is GemmaError)
                refused += 1
            }
        }
        #expect(refused == 32)
    }
}
