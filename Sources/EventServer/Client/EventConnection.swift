package import Events
import Glibc

/// A client's connection to a running daemon. Blocking: for programs that do nothing but listen.
package struct EventConnection: ~Copyable {
    /// For `shutdown` out of a signal handler: a read that waits then ends as if the daemon had gone.
    package let descriptor: CInt
    private var splitter = LineSplitter(limit: 64 << 20)
    private var lines: ArraySlice<[UInt8]> = []
    private var hasEnded = false

    /// Connects to the first of `paths` where a daemon answers.
    package init(paths: [String]) throws(ClientError) {
        precondition(!paths.isEmpty, "no socket path to try")
        var refusal: ClientError?
        for path in paths {
            guard let address = sockaddr_un(path: path) else {
                throw .pathTooLong(path: path, limitBytes: sockaddr_un.pathLimitBytes)
            }
            let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw .lost(errno: errno) }
            if address.apply(connect, to: descriptor) == 0 {
                self.descriptor = descriptor
                return
            }
            if errno == EACCES || errno == EPERM { refusal = refusal ?? .notPermitted(path: path) }
            close(descriptor)
        }
        throw refusal ?? .noDaemon(path: paths[0])
    }

    deinit { close(descriptor) }

    /// The next line without its line feed; nil when the daemon has closed the connection.
    package mutating func nextLine() throws(ClientError) -> [UInt8]? {
        while lines.isEmpty, !hasEnded {
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                if errno != ECONNRESET { throw .lost(errno: errno) }
            }
            hasEnded = count <= 0
            let pieces = hasEnded ? splitter.finish() : splitter.append(chunk[..<count])
            for piece in pieces {
                guard case .line(let line) = piece else { throw .notNarrator }
                lines.append(line)
            }
        }
        return lines.popFirst()
    }

    /// The next message; nil when the daemon has closed the connection.
    package mutating func nextMessage() throws(ClientError) -> (line: [UInt8], value: JSONValue)? {
        guard let line = try nextLine() else { return nil }
        guard let value = try? JSONValue(parsing: line), value.object != nil else { throw .notNarrator }
        return (line, value)
    }

    /// Sends a request and waits for its reply; what comes before it is passed over.
    /// - Returns: the reply, whether `ok` or not, as it came and as a value.
    package mutating func request(
        _ command: String, _ fields: JSONObject = [:]
    ) throws(ClientError) -> (line: [UInt8], value: JSONValue) {
        var request: JSONObject = ["id": 1, "cmd": .string(command)]
        request.merge(fields)
        try send(JSONValue.object(request).line)
        while let message = try nextMessage() {
            if message.value["ok"] != nil { return message }
        }
        throw .ended
    }

    private func send(_ bytes: [UInt8]) throws(ClientError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            // A daemon that hangs up may have said why; that is still to be read.
            if count < 0, errno == EPIPE || errno == ECONNRESET { return }
            guard count >= 0 else { throw .lost(errno: errno) }
            sent += count
        }
    }
}
