import Glibc

/// Why a client could not talk to a daemon.
package enum ClientError: Error, Equatable {
    case noDaemon(path: String)
    case notPermitted(path: String)
    case pathTooLong(path: String, limitBytes: Int)
    /// The connection ended before the reply.
    case ended
    case notNarrator
    case lost(errno: CInt)
}

extension ClientError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noDaemon(let path):
            "no narrator is running at \(path); start one with `narrator run PIPELINE`"
        case .notPermitted(let path):
            "the narrator at \(path) is not yours to talk to; ask as its user, or join the group of its socket"
        case .pathTooLong(let path, let limitBytes):
            "the socket path \(path) has \(path.utf8.count) bytes; the system allows \(limitBytes); "
                + "choose a shorter --socket"
        case .ended: "the daemon closed the connection before it answered; look at its log"
        case .notNarrator: "what answered is not a narrator; check --socket"
        case .lost(let errno):
            "the connection to the daemon broke: \(String(cString: strerror(errno))); is it still running?"
        }
    }
}
