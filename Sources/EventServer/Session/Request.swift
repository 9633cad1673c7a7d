import Events

/// One request line: `{"id":7,"cmd":"subscribe",…}`.
struct Request: Equatable {
    /// Given back in the reply; null if the client sent none.
    let id: JSONValue
    let command: String
    /// Everything but `id` and `cmd`.
    let fields: JSONObject

    /// A refused request and the id its reply carries.
    struct Refusal: Error, Equatable {
        let id: JSONValue
        let error: CommandError

        init(_ id: JSONValue, _ code: CommandError.Code, _ message: String, field: String? = nil) {
            self.id = id
            self.error = CommandError(code, message, field: field)
        }
    }

    /// Reads `line` and checks it against the table of commands.
    init(parsing line: [UInt8], role: Role) throws(Refusal) {
        let value: JSONValue
        do { value = try JSONValue(parsing: line) } catch {
            throw Refusal(.null, .badRequest, "The line is not JSON: \(error). Send one JSON object per line.")
        }
        guard var fields = value.object else {
            throw Refusal(.null, .badRequest, "The line is not a JSON object. Send {\"id\":1,\"cmd\":\"ping\"}.")
        }
        switch fields["id"] ?? .null {
        case .array, .object:
            throw Refusal(.null, .badValue, "`id` is a number, a string or null.", field: "id")
        case let id: self.id = id
        }
        guard let name = fields["cmd"]?.string else {
            throw Refusal(id, .badRequest, "The request names no command. Add \"cmd\".", field: "cmd")
        }
        guard let command = Command.all.first(where: { $0.name == name }) else {
            let known = Command.all.map(\.name).joined(separator: ", ")
            throw Refusal(id, .unknownCommand, "No command named '\(name)'. There are: \(known).", field: "cmd")
        }
        guard role.may(command.needs) else {
            throw Refusal(
                id, .notPermitted,
                "'\(name)' needs the role \(command.needs.rawValue); this client has \(role.rawValue). "
                    + "Run it as the user of the daemon.")
        }
        fields["id"] = nil
        fields["cmd"] = nil
        for member in fields.members where !command.fields.contains(member.name) {
            let known = command.fields.joined(separator: ", ")
            let takes = known.isEmpty ? "It takes none." : "It takes: \(known)."
            throw Refusal(id, .unknownField, "'\(name)' has no field '\(member.name)'. \(takes)", field: member.name)
        }
        self.command = name
        self.fields = fields
    }
}

/// The one reply to a request.
func reply(to id: JSONValue, _ result: Result<JSONValue, CommandError>) -> [UInt8] {
    let value: JSONValue =
        switch result {
        case .success(let result): ["id": id, "ok": true, "result": result]
        case .failure(let error): ["id": id, "ok": false, "error": error.wire]
        }
    return value.line
}
