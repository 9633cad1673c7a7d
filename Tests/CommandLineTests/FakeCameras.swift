import Foundation
import TestSupport

/// Cameras of `Tests/DeviceLab/preload/fakev4l.c`: each is a file in a folder, which programs under the library take
/// for the folder of their devices. Making the file is plugging in, deleting it is pulling the plug.
struct FakeCameras {
    static let isPossible = Program.isBuilt && shell("command -v cc") == 0

    let scratch: Scratch
    private let library: String

    init() throws {
        scratch = try Scratch()
        library = "\(scratch.path)/fakev4l.so"
        let source = "\(RealData.root.path)/Tests/DeviceLab/preload/fakev4l.c"
        guard FakeCameras.shell("cc -O2 -Wall -Werror -shared -fPIC -o '\(library)' '\(source)' -ldl") == 0 else {
            throw CocoaError(.executableLoad)
        }
        for folder in ["dev", "frames"] {
            try FileManager.default.createDirectory(
                atPath: "\(scratch.path)/\(folder)", withIntermediateDirectories: true)
        }
        // The ends of a JPEG, which is all that the capture side looks at.
        let frame = [0xff, 0xd8, 0xff, 0xdb] + [UInt8](repeating: 0x42, count: 20_000) + [0xff, 0xd9]
        for index in 0..<3 { try Data(frame).write(to: URL(fileURLWithPath: "\(scratch.path)/frames/\(index).jpg")) }
    }

    func remove() { scratch.remove() }

    /// For the programs that are to see them.
    var environment: [String: String] {
        ["LD_PRELOAD": library, "FAKEV4L_DEV": "\(scratch.path)/dev/", "FAKEV4L_FRAMES": "\(scratch.path)/frames"]
    }

    func path(_ node: String) -> String { "\(scratch.path)/dev/\(node)" }

    /// Plugs a camera in, or changes how it behaves; `settings` are the keys of `fakev4l.c`.
    func plug(_ node: String, _ settings: [String: String] = [:]) throws {
        var settings = settings
        settings["log"] = "\(scratch.path)/log"
        let lines = settings.map { "\($0) \($1)\n" }.sorted().joined()
        try Data(lines.utf8).write(to: URL(fileURLWithPath: path(node)), options: .atomic)
    }

    func unplug(_ node: String) throws { try FileManager.default.removeItem(atPath: path(node)) }

    /// What was done to the nodes: `open`, `stream`, `close`, and their faults.
    func log(of node: String) -> [String] {
        let text = (try? String(contentsOfFile: "\(scratch.path)/log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            .filter { $0.count == 3 && $0[1] == path(node) }.map { $0[2] }
    }

    private static func shell(_ command: String) -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.standardOutput = FileHandle.nullDevice
        do { try process.run() } catch { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// A daemon on fake cameras, and a subscriber whose events can be waited for.
struct CameraDaemon {
    struct Overdue: Error, CustomStringConvertible {
        let description: String
    }

    private let daemon: Program
    private let listener: Program
    private let heard: String

    /// Stages as lines of YAML.
    init(_ cameras: FakeCameras, stages: [String]) throws {
        let scratch = cameras.scratch
        let pipeline = try scratch.write(
            "pipeline.yaml", "stages:\n" + stages.map { "  \($0)\n" }.joined())
        let socket = "\(scratch.path)/n.sock"
        daemon = Program(["run", pipeline, "--wait-clients", "1", "--socket", socket], environment: cameras.environment)
        listener = Program(["listen", "--format", "json", "--socket", socket])
        heard = try scratch.write("events", "")
        listener.process.standardOutput = FileHandle(forWritingAtPath: heard)
        try daemon.start()
        while daemon.process.isRunning, !FileManager.default.fileExists(atPath: socket) { usleep(20_000) }
        try listener.start()
    }

    var events: [[String: Any]] {
        let text = (try? String(contentsOfFile: heard, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }

    func events(_ name: String, of source: String) -> [[String: Any]] {
        events.filter { $0["event"] as? String == name && $0["src"] as? String == source }
    }

    /// Waits until a condition holds; long enough for a machine that has much else to do.
    static func wait(for what: String, seconds: Double = 30, until condition: () -> Bool) throws {
        let limit = Date().addingTimeInterval(seconds)
        while !condition() {
            guard Date() < limit else { throw Overdue(description: "no \(what) within \(seconds) s") }
            usleep(5_000)
        }
    }

    /// The `count`th event of that name. Prints how long after `cause` it was written.
    func wait(for name: String, _ count: Int, of source: String, after cause: (what: String, at: Date)) throws
        -> [String: Any]
    {
        try CameraDaemon.wait(for: "\(name) of \(source) after \(cause.what)") {
            events(name, of: source).count >= count || !daemon.process.isRunning
        }
        let told = events(name, of: source)
        guard told.count >= count else { throw Overdue(description: "the daemon has ended") }
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        if let time = (told[count - 1]["ts"] as? String).flatMap(formatter.date(from:)) {
            print("measured: \(cause.what) -> \(name): \(Int((time.timeIntervalSince(cause.at) * 1_000).rounded())) ms")
        }
        return told[count - 1]
    }

    /// Stops the daemon and returns what it said, with all events told.
    func stop() -> Program.Result {
        kill(daemon.process.processIdentifier, SIGTERM)
        let result = daemon.finish()
        listener.process.waitUntilExit()
        return result
    }
}
