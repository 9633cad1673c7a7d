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
            try output.write(json || !output.isTerminal ? status.jsonText + "\n" : StatusTable(status).text)
        } catch is StandardOutput.Closed {}
    }
}
