import Foundation
import Gemma
import Kernels
import TestSupport
import Testing
import Tokenizers
import Weights

/// Opens damaged model files, loads their weights and runs them, for `FUZZ` seconds each (2 unless set): every one ends with
/// logits or with an error of ours, and memory stays small. A run is a function of its seed, `FUZZ_SEED`, which is printed.
@Suite(.serialized) struct ModelFuzzTests {
    static let environment = ProcessInfo.processInfo.environment
    static let seconds = environment["FUZZ"].flatMap(Double.init) ?? 2
    static let seed = environment["FUZZ_SEED"].flatMap(UInt64.init) ?? 4
    /// What a run may need at its peak beyond what it began with; tests of other suites run beside it.
    static let maxGrowthKilobytes = 1_000_000

    private let folder = try! TemporaryFolder()

    @Test func quantizedFiles() throws {
        try SmallContainer.parts.write(to: folder.file("whole.gguf"))
        let lines = ["q4", "q8", "panels", "rows", "columns", " 0", " 64", " 16777216", "layers.0.", "norm.weight"]
        try run("quantised files", words: Self.words + lines.map { Array($0.utf8) })
    }

    @Test func publishedFiles() throws {
        try PublishedFile().write(to: folder.file("whole.gguf"))
        try run("published files", words: Self.words)
    }

    private static let words: [[UInt8]] =
        ["gemma3n", "blk.0.", ".weight", "narrator.", "tokenizer.ggml.", "\"", "{", "[", ":", ",", "null", "1e300"].map
    {
        Array($0.utf8)
    } + (0...13 as ClosedRange<UInt8>).map { [$0, 0, 0, 0] }

    /// By turns: a file that means something else, damaged numbers, a damaged header.
    private func run(_ what: String, words: [[UInt8]]) throws {
        let whole = [UInt8](try Data(contentsOf: folder.url("whole.gguf")))
        let file = try Checkpoint.open(folder.file("whole.gguf"))
        let start = file.names.compactMap { file.entry($0)?.byteRange.lowerBound }.min()!
        var header = Array(whole[..<start])
        while header.last == 0 { header.removeLast() }
        header += [0, 0, 0, 0, 0, 0, 0, 0]  // the upper bytes of the last tensor's place
        header = Array(header.prefix(start))
        let payload = whole[start...]
        var mutator = Mutator(corpus: [header], words: words, random: SplitMix64(seed: Self.seed))
        let damaged = folder.file("damaged.gguf")
        let parts = try ContainerParts(folder.file("whole.gguf"))
        let before = Self.kilobytes("VmRSS:")
        try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)  // forgets the peak so far
        let end = ContinuousClock.now + .seconds(Self.seconds)
        var (files, ran) = (0, 0)
        while ContinuousClock.now < end {
            files += 1
            var bytes: [UInt8]
            if files % 3 == 1 {
                try Self.changed(parts, with: &mutator.random).write(to: damaged)
                bytes = []
            } else if files % 3 == 2 {
                bytes = whole
                Self.damage(&bytes, from: start, with: &mutator.random)
            } else {
                bytes = mutator.next()
                // Behind a header of another length everything has moved; mostly it shall lie where it should.
                bytes += [UInt8](repeating: 0, count: (64 - bytes.count % 64) % 64)
                bytes += payload
            }
            if !bytes.isEmpty { try #require(Self.write(bytes, to: damaged)) }
            do {
                #expect(try !runEverything(damaged).isEmpty)
                ran += 1
            } catch let error as GemmaError {
                #expect(!error.description.isEmpty)
            } catch let error as WeightsError {
                #expect(!error.description.isEmpty)
            } catch let error as TokenizerError {
                #expect(!error.description.isEmpty)
            }
        }
        let growth = Self.kilobytes("VmHWM:") - before
        print(
            "fuzz: \(what), seed \(Self.seed): \(files) files in \(Self.seconds) s, \(ran) ran, \(growth / 1_024) MB at the peak"
        )
        #expect(files > 0 && growth < Self.maxGrowthKilobytes)
    }

    /// A file that is well formed and lies: values, layouts, configuration, names and shapes.
    private static func changed(_ whole: ContainerParts, with random: inout SplitMix64) throws -> ContainerParts {
        var parts = whole
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            let value = parts.values.indices.randomElement(using: &random)!
            let (one, other) = (
                parts.tensors.indices.randomElement(using: &random)!,
                parts.tensors.indices.randomElement(using: &random)!
            )
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                let numbers = [0, 1, 2, 3, 16, 31, 33, 255, 256, 16_384, .max] as [UInt32]
                let number = numbers.randomElement(using: &random)!
                let values: [GGUFValue] = [
                    .uint32(number), .uint64(.max - UInt64(number)), .float32(Float(bitPattern: number)),
                    .float32(.nan), .int32s([Int32(truncatingIfNeeded: number)]), .text("\(number)"), .texts([])
                ]
                parts.values[value].value = values.randomElement(using: &random)!
            case 1, 2:
                let key = ["narrator.config", "narrator.layouts"].randomElement(using: &random)!
                if let text = parts.texts[key] {
                    var mutator = Mutator(corpus: [Array(text.utf8)], words: words, random: random)
                    let changed = String(decoding: mutator.next(), as: UTF8.self)
                    random = mutator.random
                    let lines = changed.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                    parts.set(key, key.hasSuffix("config") ? .text(changed) : .texts(lines))
                }
            case 3:
                let name = parts.tensors[one].name
                parts.tensors[one].name = parts.tensors[other].name
                parts.tensors[other].name = name
            case 4: parts.tensors[one].shape.reverse()
            default: parts.tensors[one].bytes = parts.tensors[one].bytes.shuffled(using: &random)
            }
        }
        return parts
    }

    /// Runs of one byte, single bits, noise.
    private static func damage(_ bytes: inout [UInt8], from start: Int, with random: inout SplitMix64) {
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let place = Int.random(in: start..<bytes.count, using: &random)
            let part = place..<min(bytes.count, place + Int.random(in: 1...256, using: &random))
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let byte = [UInt8](arrayLiteral: 0, 0x7C, 0x7F, 0x80, 0xFC, 0xFF).randomElement(using: &random)!
                for index in part { bytes[index] = byte }
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            default: for index in part { bytes[index] = UInt8.random(in: 0...255, using: &random) }
            }
        }
    }

    /// Without the wait for the disk that Foundation adds.
    private static func write(_ bytes: [UInt8], to path: String) -> Bool {
        guard let file = fopen(path, "w") else { return false }
        defer { fclose(file) }
        return fwrite(bytes, 1, bytes.count, file) == bytes.count
    }

    private static func kilobytes(_ key: String) -> Int {
        let lines = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8))?.split(separator: "\n") ?? []
        let line = lines.first { $0.hasPrefix(key) } ?? ""
        return line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first ?? 0
    }
}
