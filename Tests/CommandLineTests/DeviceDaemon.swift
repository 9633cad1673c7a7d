import Foundation
import TestSupport

/// A daemon on devices that come and go, and a subscriber whose events can be waited for.
final class DeviceDaemon {
    struct Overdue: Error, CustomStringConvertible {
        let description: String
    }

    private let daemon: Program
    private let listener: Program
    private let heard: String
    private let socket: String

    /// - Parameters:
    ///   - environment: shows the program the devices.
    ///   - stages: lines of YAML.
    init(_ scratch: Scratch, environment: [String: String], stages: [String]) throws {
        let pipeline = try scratch.write(
            "pipeline.yaml", "stages:\n" + stages.map { "  \($0)\n" }.joined())
        socket = "\(scratch.path)/n.sock"
        daemon = Program(["run", pipeline, "--wait-clients", "1", "--socket", socket], environment: environment)
        listener = Program(["listen", "--format", "json", "--socket", socket])
        heard = try scratch.write("events", "")
        listener.process.standardOutput = FileHandle(forWritingAtPath: heard)
        try daemon.start()
        while daemon.process.isRunning, !FileManager.default.fileExists(atPath: socket) { usleep(20_000) }
        try listener.start()
    }

    convenience init(_ cameras: FakeCameras, stages: [String]) throws {
        try self.init(cameras.scratch, environment: cameras.environment, stages: stages)
    }

    /// A test that has failed leaves nothing running.
    deinit { for program in [daemon, listener] where program.process.isRunning { program.process.terminate() } }

    var events: [[String: Any]] {
        let text = (try? String(contentsOfFile: heard, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }

    /// The result of a command.
    func ask(_ command: String) throws -> [String: Any] {
        let reply = try Program.run("send", command, "--socket", socket).lines.first
        return reply?["result"] as? [String: Any] ?? [:]
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
        try DeviceDaemon.wait(for: "\(name) of \(source) after \(cause.what)") {
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
