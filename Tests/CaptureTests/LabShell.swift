import Foundation
import Glibc

/// Programs that tests in the device lab start.
enum LabShell {
    static func start(_ command: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", command]
        try process.run()
        return process
    }

    @discardableResult
    static func run(_ command: String) throws -> Int32 {
        let process = try start(command)
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// What a test starts inherits the blocked signals of its thread: only this one ends it.
    static func kill(_ process: Process) {
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
