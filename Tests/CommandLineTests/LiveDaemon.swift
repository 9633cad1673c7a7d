import Foundation
import TestSupport

/// A daemon that hears a recording, for one test.
struct LiveDaemon {
    let scratch: Scratch
    let socket: String
    let file: String
    let program: Program

    /// - Parameter hears: a file of `samples/`.
    init(
        hears recording: String = "two_cities.flac", pace: String = "realtime", loops: Bool = false,
        _ arguments: [String] = [], environment: [String: String] = [:]
    ) throws {
        scratch = try Scratch()
        socket = "\(scratch.path)/n.sock"
        file = try scratch.write("pipeline.yaml", Self.pipeline(recording, pace: pace, loops: loops))
        program = Program(["run", file, "--socket", socket] + arguments, environment: environment)
        try program.start()
        waitForSocket()
    }

    static func pipeline(_ recording: String, pace: String, loops: Bool = false, silenceMs: Int = 500) -> String {
        """
        name: test
        stages:
          recording:  { kind: audio_file, path: "\(RealData.samples)/\(recording)", pace: \(pace), loop: \(loops) }
          speech:     { kind: resample, from: recording }
          utterances: { kind: endpoint, from: speech, silence_ms: \(silenceMs) }
          transcript: { kind: transcribe, from: utterances, model: whisper-tiny.en }
          events:     { kind: events, from: transcript }
        """
    }

    func waitForSocket() {
        while program.process.isRunning, !FileManager.default.fileExists(atPath: socket) { usleep(20_000) }
    }

    func send(_ arguments: String...) throws -> Program.Result {
        let program = Program(["send"] + arguments + ["--socket", socket])
        try program.start()
        return program.finish()
    }

    func signal(_ number: Int32) { kill(program.process.processIdentifier, number) }

    /// Ends it in order, if it still runs, and cleans up.
    @discardableResult func end() -> Program.Result {
        if program.process.isRunning { signal(SIGTERM) }
        defer { scratch.remove() }
        return program.finish()
    }
}

/// One connection to a daemon, read line by line.
final class RawClient {
    typealias Message = [String: Any]

    private let descriptor: Int32
    private var pending = Data()

    /// Connects and reads the hello.
    init(_ path: String) throws {
        descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw CocoaError(.fileReadUnknown) }
        // Whoever waits for what never comes fails, and does not hang.
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        _ = next()
    }

    deinit { close(descriptor) }

    /// Sends a request and gives its reply; events that come before it are passed over.
    @discardableResult func ask(_ request: String) -> Message? {
        let bytes = Array("\(request)\n".utf8)
        _ = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        return first { $0["ok"] != nil }
    }

    /// The next message; nil once the daemon has hung up.
    func next() -> Message? {
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                let line = pending[..<end]
                pending = Data(pending[(end + 1)...])
                return try? JSONSerialization.jsonObject(with: line) as? Message
            }
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(descriptor, &chunk, chunk.count)
            if count <= 0 { return nil }
            pending.append(contentsOf: chunk[..<count])
        }
    }

    /// The next message that is wanted, and all others passed over; nil once the daemon has hung up.
    func first(where isWanted: (Message) -> Bool) -> Message? {
        while let message = next() { if isWanted(message) { return message } }
        return nil
    }

    func first(_ event: String) -> Message? { first { $0["event"] as? String == event } }

    /// Everything until the daemon hangs up.
    func rest() -> [Message] {
        var messages: [Message] = []
        while let message = next() { messages.append(message) }
        return messages
    }
}

extension [RawClient.Message] {
    func named(_ event: String) -> [RawClient.Message] { filter { $0["event"] as? String == event } }
}
