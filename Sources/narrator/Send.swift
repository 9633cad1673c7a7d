import ArgumentParser
import EventServer
import Events

struct Send: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sends one request to a running daemon and prints its reply.",
        discussion: """
            A value that is a JSON number, true, false, null, an object or an array is sent as such, all others as text:
              narrator send ping
              narrator send mute src=microphone for_s=60
              narrator send set stage=utterances key=silence_ms value=700
              narrator send snapshot max_width=640
            """)

    @OptionGroup var client: ClientOptions

    @Argument(
        help: """
            ping, status, stats, graph, devices, models, mute, unmute, pause, resume, flush, describe, snapshot, set, \
            reload, quit.
            """)
    var command: String

    @Argument(help: ArgumentHelp("Fields of the request.", valueName: "key=value"))
    var fields: [String] = []

    func run() throws {
        var request: JSONObject = [:]
        for field in fields {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ValidationError("'\(field)' is not a field. Write it as KEY=VALUE.")
            }
            let name = String(parts[0])
            guard name != "id", name != "cmd", request[name] == nil else {
                throw ValidationError("'\(name)' is set already. Leave it out.")
            }
            request[name] = value(String(parts[1]))
        }
        try client.send(command, request)
    }

    /// JSON where it is JSON, else text. Text in quotes stays as it was typed.
    private func value(_ text: String) -> JSONValue {
        guard let value = try? JSONValue(parsing: text), value.string == nil else { return .string(text) }
        return value
    }
}
