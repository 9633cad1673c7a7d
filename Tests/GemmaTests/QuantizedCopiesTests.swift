import Foundation
import Gemma
import Glibc
import Kernels
import Testing
import Weights

/// Quantised copies of models that are not files of our own.
struct QuantizedCopiesTests {
    private let source: ModelFolder
    private let store: String
    private let copies: QuantizedCopies

    init() throws {
        // Small models get no copy: this one is large by a tensor that nobody asks for and that is a hole in its file.
        source = try ModelFolder(SampleModel(), ModelFolder.Form(idleNumbers: 65 << 20))
        store = source.folder.file("store/quantised")
        copies = QuantizedCopies(folder: URL(fileURLWithPath: store))
    }

    private func open(_ format: QuantizedFormat = .q4) throws -> (model: GemmaModel, isNew: Bool) {
        var isNew = false
        let model = try copies.open(
            try GemmaModel(source.path), format: format, pool: .single, willCopy: { isNew = true })
        return (model, isNew)
    }

    private var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: store)) ?? []).sorted() }

    /// As another program would, a second later.
    private func touch() throws {
        let later = Date(timeIntervalSinceNow: 1)
        try FileManager.default.setAttributes(
            [.modificationDate: later], ofItemAtPath: source.folder.file("model.safetensors"))
    }

    @Test func aCopyIsMadeOnce() throws {
        let first = try open()
        #expect(first.isNew && first.model.form == .container && names.count == 1)
        let second = try open()
        #expect(!second.isNew && second.model.path == first.model.path && names.count == 1)
        #expect(
            try QuantizedFileTests.logits(second.model.textWeights())
                == QuantizedFileTests.logits(GemmaModel(source.path).textWeights(format: .q4)))
    }

    @Test func aChangedModelGetsANewCopyAndTheOldOneGoes() throws {
        let old = try open()
        let other = try open(.q8)
        #expect(names.count == 2)
        try touch()
        let new = try open()
        #expect(new.isNew && new.model.path != old.model.path)
        #expect(!FileManager.default.fileExists(atPath: old.model.path))
        // The one in 8 bits goes when it is asked for.
        #expect(FileManager.default.fileExists(atPath: other.model.path) && names.count == 2)
        #expect(try open(.q8).isNew && names.count == 2)
        // A model that is mapped stays whole when its file goes.
        #expect(
            try QuantizedFileTests.logits(old.model.textWeights())
                == QuantizedFileTests.logits(new.model.textWeights()))
    }

    @Test func copiesOfOtherModelsStay() throws {
        let other = try ModelFolder(SampleModel(), ModelFolder.Form(precision: .float32, idleNumbers: 65 << 20))
        _ = try open()
        _ = try copies.open(GemmaModel(other.path), format: .q4, pool: .single)
        try touch()
        _ = try open()
        #expect(names.count == 2)
    }

    @Test func aDamagedCopyIsMadeAnew() throws {
        let copy = try open().model.path
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: copy))
        try handle.truncate(atOffset: 1_000)
        try handle.close()
        #expect(try open().isNew)
        #expect(try !open().isNew && names.count == 1)
    }

    @Test func aCopyGivenUpLeavesNothing() throws {
        struct Enough: Error {}
        #expect(throws: Enough.self) {
            try copies.open(GemmaModel(source.path), format: .q4, pool: .single, progress: { _ in throw Enough() })
        }
        #expect(names.isEmpty)
    }

    /// Half a copy of a process that is no more goes with the next copy; one that is being written stays.
    @Test func whatOthersLeftGoes() throws {
        let copy = try open().model.path
        let nobody = (1 << 22) + 1  // beyond the highest process number
        for process in [nobody, Int(getpid())] {
            try Data([1]).write(to: URL(fileURLWithPath: "\(copy).part-\(process)"))
        }
        try touch()
        let new = try open().model.path
        let kept = [new, "\(copy).part-\(getpid())"].map { URL(fileURLWithPath: $0).lastPathComponent }
        #expect(names == kept.sorted())
    }

    @Test func smallModelsAndQuantizedFilesAreTheirOwnCopies() throws {
        let small = try ModelFolder()
        let model = try GemmaModel(small.path)
        #expect(try copies.open(model, format: .q4, pool: .single).path == small.path)
        let file = try QuantizedFileTests.quantize(model, .q4, in: small.folder)
        #expect(try copies.open(file, format: .q8, pool: .single).path == file.path)
        #expect(names.isEmpty)
    }

    /// A start that quantised a large model in memory each time would be slow and large without a word: so it is an error.
    @Test func aStoreThatCannotBeWrittenIsNamed() throws {
        // A file stands where the folder would be: even root cannot write there.
        try Data([1]).write(to: source.folder.url("store"))
        let error = #expect(throws: WeightsError.self) { try open() }
        guard case .cannotWrite(let path, _)? = error else {
            Issue.record("\(error as Any)")
            return
        }
        #expect(path.hasPrefix(store))
    }
}
