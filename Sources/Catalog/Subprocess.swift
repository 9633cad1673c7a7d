import Foundation
import Synchronization

/// A program run to its end, its words kept for the error message.
enum Subprocess {
    struct Result {
        let status: Int32
        /// The last line it wrote, which for Python tools is the reason.
        let lastLine: String
    }

    /// - Parameter log: a file for what the program writes; a pipe could fill up and hold it.
    /// - Throws: when the program cannot be started; `CancellationError` after ending the program.
    static func run(
        _ arguments: [String], environment: [String: String], log: URL
    ) async throws -> Result {
        guard FileManager.default.createFile(atPath: log.path, contents: nil) else {
            throw CocoaError(.fileWriteUnknown)
        }
        let output = try FileHandle(forWritingTo: log)
        defer { try? output.close() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        let running = Mutex<pid_t?>(nil)
        let status: Int32 = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
                do {
                    try process.run()
                    running.withLock { $0 = process.processIdentifier }
                    // Cancelled before there was anything to end.
                    if Task.isCancelled { process.terminate() }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            // The child has a process group of its own, so an interrupt at the terminal does not reach it.
            running.withLock { if let id = $0 { _ = kill(id, SIGTERM) } }
        }
        try Task.checkCancellation()
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        // pip ends with hints and notices; its reason is the last line that says ERROR.
        return Result(status: status, lastLine: lines.last { $0.hasPrefix("ERROR") } ?? lines.last ?? "it said nothing")
    }
}
