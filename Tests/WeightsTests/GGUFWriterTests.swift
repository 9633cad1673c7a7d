import Foundation
import Kernels
import TestSupport
import Testing
import Weights

struct GGUFWriterTests {
    static let metadata: [(key: String, value: GGUFValue)] = [
        ("general.architecture", .text("gemma3n")), ("n", .uint32(7)), ("i", .int32(-7)), ("u", .uint64(1 << 40)),
        ("f", .float32(0.25)), ("b", .flag(true)), ("t", .texts(["a", "", "▁the"])), ("us", .uint32s([1, 2])),
        ("is", .int32s([-1, 1])), ("fs", .float32s([1, -0.5])), ("bs", .flags([true, false]))
    ]

    /// Sizes around the alignment, and one without elements.
    static let plans = [
        GGUFWriter.Plan(name: "a", shape: [3, 5], type: .float32),
        GGUFWriter.Plan(name: "nothing", shape: [0, 7], type: .float16),
        GGUFWriter.Plan(name: "b", shape: [2, 64], type: .q4_0),
        GGUFWriter.Plan(name: "c", shape: [64], type: .int8),
        GGUFWriter.Plan(name: "d", shape: [2, 3, 4, 1], type: .bfloat16)
    ]

    static func payload(_ plan: GGUFWriter.Plan) -> [UInt8] {
        var random = SplitMix64(seed: UInt64(plan.name.utf8.first!))
        return (0..<plan.type.byteCount(shape: plan.shape)!).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// - Parameter chunk: bytes of one `append`.
    static func write(_ path: String, chunk: Int = .max) throws {
        let writer = try GGUFWriter(path: path, metadata: metadata, tensors: plans)
        while let name = writer.due {
            let bytes = payload(plans.first { $0.name == name }!)
            for start in stride(from: 0, to: bytes.count, by: min(chunk, bytes.count)) {
                let end = min(bytes.count, start + min(chunk, bytes.count))
                try writer.append(bytes.span.extracting(start..<end).bytes, to: name)
            }
        }
        try writer.finish()
    }

    @Test(arguments: [1, 7, 64, .max]) func whatIsWrittenIsRead(chunk: Int) throws {
        let file = try TemporaryFile([], name: "model.gguf")
        try Self.write(file.path, chunk: chunk)
        let checkpoint = try Checkpoint.open(file.path)
        #expect(checkpoint.format == .gguf(version: 3))
        for plan in Self.plans {
            let entry = try #require(checkpoint.entry(plan.name))
            #expect(entry.shape == plan.shape && entry.type == plan.type)
            #expect(try Array(checkpoint.bytes(plan.name)) == Self.payload(plan))
            if entry.count > 0 { #expect(try checkpoint.mapped(plan.name).isAligned(to: GGUFWriter.alignment)) }
        }
        #expect(throws: WeightsError.emptyTensor(name: "nothing")) { try checkpoint.mapped("nothing") }
        let header = try #require(checkpoint.header)
        #expect(header.alignment == GGUFWriter.alignment)
        for (key, value) in Self.metadata { #expect(try header.value(key) == value) }
        #expect(try header.texts("t") == ["a", "", "▁the"] && header.floats("fs") == [1, -0.5])
    }

    /// Another file's values go over as they are, but for its alignment.
    @Test func valuesOfAnotherFileAreCopied() throws {
        let source = try #require(Checkpoint.open(golden("header.gguf").path).header)
        let file = try TemporaryFile([], name: "model.gguf")
        let metadata = try source.keys.map { (key: $0, value: try source.value($0)) }
        try GGUFWriter(path: file.path, metadata: metadata, tensors: []).finish()
        let copy = try #require(Checkpoint.open(file.path).header)
        #expect(copy.keys == source.keys && copy.alignment == GGUFWriter.alignment)
        for key in source.keys where key != "general.alignment" {
            #expect(try copy.value(key) == source.value(key))
        }
    }

    @Test func onlyAFinishedFileAppears() throws {
        let file = try TemporaryFile(Array("before".utf8), name: "model.gguf")
        var writer: GGUFWriter? = try GGUFWriter(path: file.path, metadata: Self.metadata, tensors: Self.plans)
        try writer?.append(Self.payload(Self.plans[0]).span.bytes, to: "a")
        #expect(try FileManager.default.contentsOfDirectory(atPath: file.folder).count == 2)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file.path)) == Data("before".utf8))
        writer = nil
        #expect(try FileManager.default.contentsOfDirectory(atPath: file.folder) == ["model.gguf"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: file.path)) == Data("before".utf8))
        try Self.write(file.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: file.folder) == ["model.gguf"])
        #expect(try Checkpoint.open(file.path).names.count == 5)
    }

    /// The part file leads to a device that is always full.
    @Test func aFullDiskIsToldAndNothingIsLeft() throws {
        let file = try TemporaryFile([], name: "model.gguf")
        try FileManager.default.removeItem(atPath: file.path)
        let part = "\(file.path).part-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createSymbolicLink(atPath: part, withDestinationPath: "/dev/full")
        #expect(throws: WeightsError.cannotWrite(path: file.path, reason: "No space left on device")) {
            try Self.write(file.path)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: file.folder) == [])
    }

    @Test func aFolderInTheWayIsTold() throws {
        let file = try TemporaryFile([], name: "model.gguf")
        #expect(throws: WeightsError.cannotWrite(path: file.folder, reason: "Is a directory")) {
            try Self.write(file.folder)
        }
        #expect(
            !FileManager.default.fileExists(atPath: "\(file.folder).part-\(ProcessInfo.processInfo.processIdentifier)"))
    }

    @Test func saysWhyItCannotWrite() throws {
        #expect(throws: WeightsError.cannotWrite(path: "/nowhere/m.gguf", reason: "No such file or directory")) {
            try GGUFWriter(path: "/nowhere/m.gguf", metadata: [], tensors: [])
        }
        let file = try TemporaryFile([], name: "model.gguf")
        func reason(_ plans: [GGUFWriter.Plan], _ metadata: [(key: String, value: GGUFValue)] = []) -> String {
            do {
                _ = try GGUFWriter(path: file.path, metadata: metadata, tensors: plans)
                return ""
            } catch .cannotWrite(_, let reason) {
                return reason
            } catch {
                return error.description
            }
        }
        let plan = Self.plans[0]
        #expect(reason([plan, plan]) == "'a' comes twice")
        #expect(reason([], [("k", .flag(true)), ("k", .flag(true))]) == "'k' comes twice")
        #expect(reason([.init(name: "a", shape: [1 << 58], type: .int8)]).hasSuffix("MB are free"))
        for (shape, type) in [
            ([33], .q4_0), ([1], .bool), ([1, 1, 1, 1, 1], .float32), ([1 << 62, 1 << 62], .int8), ([-1], .int8)
        ] as [([Int], ElementType)] {
            #expect(reason([.init(name: "a", shape: shape, type: type)]).hasPrefix("'a' cannot be"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: file.folder) == ["model.gguf"])
    }
}
