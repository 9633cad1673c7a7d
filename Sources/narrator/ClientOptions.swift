import ArgumentParser
import EventServer
import Events
import Foundation

/// What `listen`, `send` and `status` share: how to find the daemon, and what its answers mean for the exit status.
struct ClientOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The daemon's socket.", valueName: "path"))
    var socket: String?

    @OptionGroup var common: CommonOptions

    func connect() throws -> EventConnection {
        let environment = ProcessInfo.processInfo.environment
        let paths = SocketPath.candidates(option: socket, environment: environment)
        return try withClientErrors { () throws(ClientError) in try EventConnection(paths: paths) }
    }

    /// Sends one request and prints its reply.
    func send(_ command: String, _ fields: JSONObject) throws {
        var connection = try connect()
        let reply = try withClientErrors { () throws(ClientError) in try connection.request(command, fields) }
        do { try StandardOutput().write(reply.line + [UInt8(ascii: "\n")]) } catch is StandardOutput.Closed {}
        if let refusal = refusal(in: reply.value) { throw refusal }
    }
}

/// Gives an error of the connection its exit status.
func withClientErrors<Value: ~Copyable>(_ body: () throws(ClientError) -> Value) throws(CommandFailure) -> Value {
    do { return try body() } catch {
        let status: ExitStatus =
            switch error {
            case .noDaemon, .ended, .lost: .unavailable
            case .notPermitted: .notPermitted
            case .pathTooLong: .usage
            case .notNarrator: .badData
            }
        throw CommandFailure(status, error.description)
    }
}

/// The failure that a refused request ends with; nil if it was granted.
func refusal(in reply: JSONValue) -> CommandFailure? {
    guard reply["ok"]?.bool != true else { return nil }
    let error = reply["error"]
    let status: ExitStatus = error?["code"]?.string == "not_permitted" ? .notPermitted : .badData
    return CommandFailure(status, error?["message"]?.string ?? "the daemon refused the request")
}

/// Standard output, written at once. A reader that has gone is no error: nothing is left to do.
struct StandardOutput {
    struct Closed: Error {}

    let isTerminal = isatty(STDOUT_FILENO) == 1

    init() { signal(SIGPIPE, SIG_IGN) }

    /// Columns of the terminal now; a window may change.
    var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    func write(_ text: String) throws { try write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EPIPE { throw Closed() }
            guard count >= 0 else {
                throw CommandFailure(.internalFault, "cannot write: \(String(cString: strerror(errno)))")
            }
            written += count
        }
    }
}
