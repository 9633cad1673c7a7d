import ArgumentParser
import Foundation
import Kernels

/// Options of commands that compute.
struct ComputeOptions: ParsableArguments {
    @Option(help: "How many threads compute; all cores if not given.")
    var threads: Int?

    @Option(help: ArgumentHelp("Precision of the matrix products.", visibility: .hidden))
    var precision: Precision = .int8

    func validate() throws {
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads takes a number from 1 to 256")
        }
    }

    /// `--threads`, else `NARRATOR_THREADS`, else every core.
    var threadCount: Int {
        get throws {
            if let threads { return threads }
            let cores = ProcessInfo.processInfo.activeProcessorCount
            guard let text = ProcessInfo.processInfo.environment["NARRATOR_THREADS"], !text.isEmpty else {
                return cores
            }
            guard let count = Int(text), (1...256).contains(count) else {
                throw CommandFailure(.usage, "NARRATOR_THREADS is '\(text)'. Set it to a number from 1 to 256.")
            }
            return count
        }
    }
}

extension Precision: ExpressibleByArgument {}
