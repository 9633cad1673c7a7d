import Testing
import TestSupport
import Weights

struct HostileCheckpointTests {
    typealias Variable = CTranslate2File.Variable

    static let samples = [
        CTranslate2File.sample.bytes, safetensorsSample, TorchFile.sample.bytes, ZipFile.sample.bytes,
        GGUFFile.sample.bytes
    ]

    @Test(arguments: samples)
    func refusesEveryTruncation(bytes: [UInt8]) throws {
        for length in 0..<bytes.count {
            let file = try TemporaryFile(Array(bytes[..<length]))
            #expect(throws: WeightsError.self, "cut to \(length) bytes") { try Checkpoint.open(file.path) }
        }
    }

    /// Whatever a mutation does, reading all tensors ends with values or with our error.
    @Test(arguments: samples, [UInt64(1), 2])
    func survivesMutations(bytes: [UInt8], seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<500 {
            var mutated = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: mutated.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: mutated[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: mutated[index] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
                case 2: mutated.remove(at: index)
                default: mutated.insert(UInt8.random(in: 0...255, using: &random), at: index)
                }
            }
            let file = try TemporaryFile(mutated)
            do throws(WeightsError) {
                readEverything(try Checkpoint.open(file.path))
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    static let lies: [(String, CTranslate2File)] = {
        let tensor = Variable(name: "a", shape: [2], type: 1, payload: [1, 2])
        var lies: [(String, CTranslate2File)] = [
            ("a version of the past", CTranslate2File(version: 3)),
            ("more variables than there are", CTranslate2File(variables: [tensor], claimedVariables: .max)),
            ("fewer variables than there are", CTranslate2File(variables: [tensor], claimedVariables: 0)),
            ("a second variable of a name", CTranslate2File(variables: [tensor, tensor])),
            ("an alias of nothing", CTranslate2File(variables: [tensor], aliases: [("b", "c")])),
            ("an alias of a name that is taken", CTranslate2File(variables: [tensor], aliases: [("a", "a")])),
            ("an alias twice", CTranslate2File(variables: [tensor], aliases: [("b", "a"), ("b", "a")])),
            ("bytes after the end", CTranslate2File(variables: [tensor], tail: [0]))
        ]
        func lie(_ what: String, _ change: (inout Variable) -> Void) {
            var variable = tensor
            change(&variable)
            lies.append((what, CTranslate2File(variables: [variable])))
        }
        lie("an unknown type") { $0.type = 6 }
        lie("an absurd rank") { $0.claimedRank = 255 }
        lie("a size beyond the file") { $0.claimedBytes = .max }
        lie("a shape larger than its size") { $0.shape = [3] }
        lie("a shape whose product wraps to its size") {
            $0.shape = [1 << 31, 1 << 31, 4] + [2]; $0.payload = []
        }
        lie("no bytes for a shape that is not empty") { $0.payload = [] }
        return lies
    }()

    @Test(arguments: lies.indices)
    func refusesALieInCTranslate2(index: Int) throws {
        let (what, lie) = Self.lies[index]
        let file = try TemporaryFile(lie.bytes)
        #expect(throws: WeightsError.self, "\(what)") { try Checkpoint.open(file.path) }
    }

    static let tensor = #""dtype":"F32","shape":[1],"data_offsets":[0,4]"#

    @Test(arguments: [
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
        #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1]}}"#,
        #"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#,
        "{\"a\":{\(tensor)},\"a\":{\(tensor)}}",
        "{\"a\":{\(tensor)},\"b\":{\(tensor)}}",
        "{\"a\":{\(tensor),\"shape\":[1]}}",
        "{\"a\":{\(tensor),\"more\":1}}",
        "{\"a\":{\(tensor)}} x", "{\"a\":{\(tensor)}", "{\"a", "{\"\\ud83d\":{\(tensor)}}", "{\"\\x\":{\(tensor)}}",
        "{}", "{" + String(repeating: "[", count: 100_000)
    ])
    func refusesALieInSafetensors(header: String) throws {
        let file = try TemporaryFile(safetensors(header, payload: [0, 0, 0, 0]))
        #expect(throws: WeightsError.self) { try Checkpoint.open(file.path) }
    }

    @Test(arguments: [UInt64.max, UInt64(Int64.max), 1 << 40, 99_999_999])
    func refusesAHeaderLongerThanTheFile(claim: UInt64) throws {
        let file = try TemporaryFile(safetensors("{}", payload: [], claimedHeader: claim))
        #expect(throws: WeightsError.self) { try Checkpoint.open(file.path) }
    }
}
