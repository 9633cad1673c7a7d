import Foundation
import Logging

/// Exit statuses, after sysexits.h.
enum ExitStatus: Int32 {
    case usage = 64
    case badData = 65
    case missing = 66
    case unavailable = 69
    case internalFault = 70
    case notPermitted = 77
    case badConfiguration = 78
}

/// An error that ends the program: what happened, what to do, and the exit status.
struct CommandFailure: Error {
    let status: ExitStatus
    /// Empty if everything was said already.
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    func report() {
        if message.isEmpty { return }
        let text = LogOutput.isJournal ? JournalHandler.lines(.error, "narrator: \(message)") : "narrator: \(message)\n"
        FileHandle.standardError.write(Data(text.utf8))
    }
}
