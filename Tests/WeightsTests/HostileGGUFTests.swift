import Testing
import Weights

struct HostileGGUFTests {
    typealias Tensor = GGUFFile.Tensor
    typealias Value = GGUFFile.Value

    /// Two floats at the beginning of 64 bytes.
    static let tensor = Tensor(name: "a", dimensions: [2])
    static let payload = [UInt8](repeating: 1, count: 64)

    static let lies: [(String, GGUFFile)] = {
        let plain = GGUFFile(tensors: [tensor], payload: payload)
        var lies: [(String, GGUFFile)] = []
        func lie(_ what: String, _ change: (inout GGUFFile) -> Void) {
            var file = plain
            change(&file)
            lies.append((what, file))
        }
        func lie(_ what: String, tensor change: (inout Tensor) -> Void) {
            lie(what) { file in change(&file.tensors[0]) }
        }
        func lie(_ what: String, value: Value...) { lie(what) { $0.values = value } }

        lie("a version of the past") { $0.version = 1 }
        lie("a version of the future") { $0.version = 4 }
        lie("another order of bytes") { $0.version = 3 << 24 }
        for claim: UInt64 in [2, 1 << 32, 1 << 63, .max] {
            lie("\(claim) tensors") { $0.claimedTensors = claim }
            lie("\(claim) values") { $0.claimedValues = claim }
        }
        lie("a second tensor of a name") { $0.tensors.append(Tensor(name: "a", dimensions: [2], offset: 32)) }
        lie("tensors at one place") { $0.tensors.append(Tensor(name: "b", dimensions: [2])) }
        lie("tensors that overlap") {
            $0.tensors = [Tensor(name: "a", dimensions: [9]), Tensor(name: "b", dimensions: [1], offset: 32)]
        }
        lie("no payload") { $0.payload = [] }

        lie("a rank beyond all") { $0.claimedRank = .max }
        lie("a rank beyond the file") { $0.claimedRank = 8 }
        lie("more than there is") { $0.dimensions = [17] }
        lie("a dimension beyond Int") { $0.dimensions = [.max] }
        lie("a product that wraps to nothing") { $0.dimensions = [1 << 32, 1 << 32] }
        lie("bytes that wrap to nothing") { $0.dimensions = [1 << 62] }
        lie("a type that was taken out") { $0.type = 4 }
        lie("a type that we do not read") { $0.type = 10 }
        lie("an unknown type") { $0.type = .max }
        lie("half a block") {
            $0.type = 2; $0.dimensions = [16]
        }
        lie("blocks across rows") {
            $0.type = 2; $0.dimensions = [16, 2]
        }
        lie("a place that is not aligned") { $0.offset = 8 }
        lie("a place beyond the file") { $0.offset = 64 }
        lie("a place that wraps") { $0.offset = .max - 31 }
        lie("a place beyond Int") { $0.offset = 1 << 63 }

        let flag = Value(key: "k", kind: 7, bytes: [1])
        lie("a second value of a key", value: flag, flag)
        lie("an unknown kind", value: Value(key: "k", kind: 13, bytes: [UInt8](repeating: 0, count: 16)))
        lie("an array of arrays", value: .array("k", of: 9, count: 0, []))
        lie("an array of an unknown kind", value: .array("k", of: 13, count: 0, []))
        for claim: UInt64 in [1 << 20, 1 << 60, 1 << 61, 1 << 63, .max] {
            lie("a text of \(claim) bytes", value: Value(key: "k", kind: 8, bytes: littleEndian(claim)))
            for kind: UInt32 in [0, 4, 8, 12] {
                lie("an array of \(claim)", value: .array("k", of: kind, count: claim, []))
            }
            lie("a text of \(claim) bytes in an array", value: .array("k", of: 8, count: 1, littleEndian(claim)))
        }
        lie("a key beyond all", value: Value(key: String(repeating: "k", count: 1_025), kind: 7, bytes: [1]))
        for alignment: UInt32 in [0, 3, 1 << 21, .max] {
            lie(
                "an alignment of \(alignment)",
                value: Value(key: "general.alignment", kind: 4, bytes: littleEndian(alignment)))
        }
        lie(
            "an alignment of another kind",
            value: Value(key: "general.alignment", kind: 5, bytes: littleEndian(Int32(32))))
        lie("several alignments", value: .array("general.alignment", of: 4, count: 1, littleEndian(UInt32(32))))
        return lies
    }()

    @Test func theFileWithoutALieOpens() throws {
        let file = try TemporaryFile(GGUFFile(tensors: [Self.tensor], payload: Self.payload).bytes)
        #expect(try Checkpoint.open(file.path).entry("a")?.shape == [2])
    }

    @Test(arguments: lies.indices) func refusesALie(index: Int) throws {
        let (what, lie) = Self.lies[index]
        let file = try TemporaryFile(lie.bytes)
        #expect(throws: WeightsError.self, "\(what)") { try Checkpoint.open(file.path) }
    }

    @Test func saysWhichTypeItDoesNotRead() throws {
        var tensor = Self.tensor
        tensor.type = 10
        let file = try TemporaryFile(GGUFFile(tensors: [tensor], payload: Self.payload).bytes)
        #expect(throws: WeightsError.unsupportedType(path: file.path, name: "a", type: "Q2_K")) {
            try Checkpoint.open(file.path)
        }
    }

    /// Names need not be texts for other programs; for us they are.
    @Test func refusesTextsThatAreNotUTF8() throws {
        let bytes = littleEndian(UInt64(2)) + [0xC3, 0x28]
        let value = GGUFFile(values: [Value(key: "k", kind: 8, bytes: bytes), .array("ks", of: 8, count: 1, bytes)])
        let file = try TemporaryFile(value.bytes)
        let header = try #require(Checkpoint.open(file.path).header)  // it is only read when it is asked for
        #expect(throws: WeightsError.self) { try header.text("k") }
        #expect(throws: WeightsError.self) { try header.texts("ks") }
    }

    /// A vocabulary without a model has values alone.
    @Test func aFileWithoutTensorsOpens() throws {
        let values = [Value(key: "k", kind: 7, bytes: [1])]
        for alignment in [1, 32] {
            let file = try TemporaryFile(GGUFFile(values: values, alignment: alignment).bytes)
            #expect(try Checkpoint.open(file.path).header?.flag("k") == true)
        }
    }
}
