import Foundation
import Synchronization
import TestSupport

/// The built program, as a user starts it.
struct Program {
    struct Result {
        var status: Int32
        var output: String
        var errors: String

        var lines: [[String: Any]] {
            output.split(separator: "\n").compactMap {
                try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
        }
    }

    /// Beside the test runner: both are products of one build.
    static let path: String? = {
        let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var folder = URL(fileURLWithPath: runner).deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = folder.appending(path: "narrator").path
            if FileManager.default.isExecutableFile(atPath: candidate),
                (try? FileManager.default.attributesOfItem(atPath: candidate)[.type] as? FileAttributeType)
                    == .typeRegular
            {
                return candidate
            }
            folder = folder.deletingLastPathComponent()
        }
        return nil
    }()

    static let isBuilt = path != nil
    static let hasTiny = isBuilt && RealData.model("whisper-tiny.en") != nil && RealData.model("silero-vad") != nil

    static let hasLabels = isBuilt && RealData.model("efficientnet-lite0") != nil

    let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    init(_ arguments: [String], environment: [String: String] = [:]) {
        process.executableURL = URL(fileURLWithPath: Self.path ?? "/nonexistent")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
    }

    func start() throws { try process.run() }

    /// Reads both outputs to their ends and waits.
    func finish() -> Result {
        let collected = Mutex(Data())
        let group = DispatchGroup()
        let handle = errors.fileHandleForReading
        DispatchQueue.global().async(group: group) {
            let data = handle.readDataToEndOfFile()
            collected.withLock { $0 = data }
        }
        let out = output.fileHandleForReading.readDataToEndOfFile()
        group.wait()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: String(decoding: out, as: UTF8.self),
            errors: String(decoding: collected.withLock { $0 }, as: UTF8.self))
    }

    static func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Result {
        let program = Program(arguments, environment: environment)
        try program.start()
        return program.finish()
    }
}

/// A folder for one test.
struct Scratch {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "narrator-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}
