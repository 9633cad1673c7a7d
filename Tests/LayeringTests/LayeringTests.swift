import Foundation
import Testing

/// The third lock of the house plan: a target depends on lower floors only.
struct LayeringTests {
    static let floors: [String: Int] = [
        "CKernels": 0, "CALSA": 0, "CJPEG": 0, "CSndfile": 0, "CSoxr": 0, "CV4L2": 0,
        "Media": 1, "Kernels": 1, "Tokenizers": 1, "CShims": 1,
        "Capture": 2, "Signal": 2, "Weights": 2, "Graph": 2, "Events": 2, "Catalog": 2,
        "EventServer": 3, "Speech": 3, "Scenes": 3, "Layers": 3,
        "Whisper": 4, "Silero": 4, "EfficientNet": 4, "Gemma": 4,
        "Stages": 5, "Daemon": 6, "narrator": 7,
        "TestSupport": 3
    ]

    struct Manifest: Decodable {
        struct Target: Decodable {
            let name: String
            let type: String
            let dependencies: [Dependency]
        }
        struct Dependency: Decodable {
            let byName: [String?]?
            let target: [String?]?
            var name: String? { byName?.first ?? target?.first ?? nil }
        }
        let targets: [Target]
    }

    static func manifest() throws -> Manifest {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["swift", "package", "--package-path", root.path, "dump-package"]
        // The runner holds the lock of the build folder: this read needs none of it.
        let scratch = FileManager.default.temporaryDirectory.appending(path: "narrator-layering-\(UUID().uuidString)")
        process.arguments! += ["--scratch-path", scratch.path]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: scratch)
        return try JSONDecoder().decode(Manifest.self, from: data)
    }

    @Test func everyArrowPointsDownward() throws {
        let targets = try Self.manifest().targets.filter { $0.type != "test" }
        #expect(targets.count == Self.floors.count, "a module has no floor, or a floor no module")
        var edges = 0
        for target in targets {
            let floor = try #require(Self.floors[target.name], "\(target.name) has no floor")
            for dependency in target.dependencies.compactMap(\.name) {
                guard let below = Self.floors[dependency] else { continue }  // a product of another package
                edges += 1
                #expect(below < floor, "\(target.name) on floor \(floor) imports \(dependency) on floor \(below)")
            }
        }
        #expect(edges > 20)
    }
}
