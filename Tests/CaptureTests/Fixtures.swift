import Capture
import Foundation
import Media

/// A temporary folder that goes with its owner.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "capture-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }

    func write(_ bytes: [UInt8], as name: String) throws -> String {
        try Data(bytes).write(to: url.appending(path: name))
        return path(name)
    }
}

enum Fixtures {
    /// The shared recordings, where they are.
    static let data: String? = {
        let path = ProcessInfo.processInfo.environment["NARRATOR_TEST_DATA"] ?? "../shared/data"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    /// Runs a program and returns its exit status and standard output.
    static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    static func has(_ program: String) -> Bool { (try? run("sh", ["-c", "command -v \(program)"]).status) == 0 }

    /// A 16-bit WAV of interleaved samples.
    static func wav(_ samples: [Int16], rateHz: Int, channels: Int) -> [UInt8] {
        func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
        let data = samples.flatMap(little)
        let format =
            little(UInt16(1)) + little(UInt16(channels)) + little(UInt32(rateHz))
            + little(UInt32(rateHz * channels * 2)) + little(UInt16(channels * 2)) + little(UInt16(16))
        return Array("RIFF".utf8) + little(UInt32(36 + data.count)) + Array("WAVEfmt ".utf8) + little(UInt32(16))
            + format + Array("data".utf8) + little(UInt32(data.count)) + data
    }

    /// How many descriptors of this process are open on files within `folder`: other tests run beside this one.
    static func openDescriptors(within folder: String) -> Int {
        let links = "/proc/self/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: links)) ?? []
        return names.count {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(links)/\($0)"))?.hasPrefix(folder) ?? false
        }
    }
}

extension AudioFile {
    /// Everything from here on, read in pieces of `step` frames.
    mutating func readAll(step: Int = 4_096) throws(CaptureError) -> [Float] {
        var all: [Float] = []
        while true {
            let piece = try read(maxFrames: step)
            if piece.isEmpty { return all }
            all += piece
        }
    }
}
