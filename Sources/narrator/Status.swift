import ArgumentParser
import EventServer
import Events

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells how a running daemon is doing.",
        discussion: "A table on a terminal, one line of JSON into a pipe.")

    @OptionGroup var client: ClientOptions

    @Flag(help: "JSON on a terminal, too.")
    var json = false

    func run() throws {
        var connection = try client.connect()
        let reply = try withClientErrors { () throws(ClientError) in try connection.request("status") }
        if let refusal = refusal(in: reply.value) { throw refusal }
        let status = reply.value["result"] ?? [:]
        let output = StandardOutput()
        do {
            try output.write(json || !output.isTerminal ? status.jsonText + "\n" : table(status))
        } catch is StandardOutput.Closed {}
    }

    /// One row per member; a list of objects gets a row for each, an object its members indented by name.
    private func table(_ status: JSONValue) -> String {
        var rows: [(name: String, text: String)] = []
        for member in status.object?.members ?? [] {
            switch member.value {
            case .array(let items):
                for (index, item) in items.enumerated() { rows.append((index == 0 ? member.name : "", cell(item))) }
            case .object(let object):
                for inner in object.members { rows.append(("\(member.name).\(inner.name)", cell(inner.value))) }
            default: rows.append((member.name, cell(member.value)))
            }
        }
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { row in
            row.name + String(repeating: " ", count: width - row.name.count + 2) + row.text + "\n"
        }.joined()
    }

    private func cell(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .object(let object):
            object.members.map { $0.value.string ?? "\($0.name)=\($0.value.jsonText)" }.joined(separator: "  ")
        default: value.jsonText
        }
    }
}
