import Glibc

/// Why the socket could not be made.
package enum EventServerError: Error, Equatable {
    case inUse(path: String)
    case pathTooLong(path: String, limitBytes: Int)
    case notASocket(path: String)
    /// The folder belongs to somebody else, who could put another socket there.
    case foreignFolder(path: String)
    case system(call: String, path: String, errno: CInt)
}

extension EventServerError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .inUse(let path):
            "Another narrator is serving \(path). Stop it with `narrator send quit`, or choose another --socket."
        case .pathTooLong(let path, let limitBytes):
            "The socket path \(path) has \(path.utf8.count) bytes; the system allows \(limitBytes). "
                + "Choose a shorter --socket."
        case .notASocket(let path): "\(path) exists and is not a socket. Remove it, or choose another --socket."
        case .foreignFolder(let path):
            "The folder \(path) belongs to another user. Set XDG_RUNTIME_DIR, or choose another --socket."
        case .system(let call, let path, let errno):
            "\(call) failed for \(path): \(String(cString: strerror(errno))). "
                + "Choose a --socket in a folder that you can write."
        }
    }
}
