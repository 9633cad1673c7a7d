package import Events

/// Answers the commands that the server itself knows nothing about.
package protocol CommandHandler: Sendable {
    /// - Parameter command: `status`, `stats` (whose members join the server's own), `quit` (already answered; the result is
    ///   ignored), or any other of the table below that the server does not answer itself.
    /// - Parameter fields: the request without `id` and `cmd`; only names that the command takes.
    func handle(_ command: String, fields: JSONObject, role: Role) async -> Result<JSONValue, CommandError>
}

/// Why a request was refused: `{"code","message","field"}`.
package struct CommandError: Error, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case badRequest = "bad_request"
        case unknownCommand = "unknown_command"
        case unknownField = "unknown_field"
        case badValue = "bad_value"
        case notPermitted = "not_permitted"
        case tooLong = "too_long"
        case notAvailable = "not_available"
        case badConfiguration = "bad_configuration"
        case failed
    }

    package let code: Code
    /// What happened, then what to do.
    package let message: String
    /// The member of the request at fault.
    package let field: String?

    package init(_ code: Code, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }

    package var description: String { message }

    var wire: JSONValue {
        ["code": .string(code.rawValue), "message": .string(message), "field": field.map { .string($0) } ?? .null]
    }
}

/// The commands a client can send. A new one is one row; what the server does not answer goes to the `CommandHandler`.
struct Command {
    let name: String
    let fields: [String]
    let needs: Role

    static let all = [
        Command(
            name: "subscribe", fields: ["events", "src", "partials", "words", "state", "since", "last"], needs: .read),
        Command(name: "unsubscribe", fields: ["sub"], needs: .read),
        Command(name: "status", fields: [], needs: .read),
        Command(name: "ping", fields: [], needs: .read),
        Command(name: "graph", fields: [], needs: .read),
        Command(name: "stats", fields: [], needs: .read),
        Command(name: "devices", fields: [], needs: .read),
        Command(name: "models", fields: [], needs: .read),
        Command(name: "ask", fields: ["prompt", "frame", "speech_s", "src"], needs: .control),
        Command(name: "describe", fields: ["src"], needs: .control),
        Command(name: "snapshot", fields: ["src", "max_width"], needs: .control),
        Command(name: "mute", fields: ["src", "for_s", "forget"], needs: .control),
        Command(name: "unmute", fields: ["src"], needs: .control),
        Command(name: "pause", fields: [], needs: .control),
        Command(name: "resume", fields: [], needs: .control),
        Command(name: "flush", fields: ["src"], needs: .control),
        Command(name: "set", fields: ["stage", "key", "value", "settings"], needs: .control),
        Command(name: "reload", fields: [], needs: .control),
        Command(name: "quit", fields: [], needs: .control)
    ]
}
