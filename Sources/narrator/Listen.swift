import ArgumentParser
import EventServer
import Events
import Foundation
import Synchronization

struct Listen: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what a running daemon hears and sees, as it happens.",
        discussion: """
            On a terminal the text of an utterance is redrawn while it is spoken; a pipe gets finals only. \
            What is seen is a line of its own: [camera] espresso, coffee mug
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text, json, srt, vtt
    }

    /// `BOOT:SEQ`: the newest event that was seen before.
    struct Since: ExpressibleByArgument {
        let boot: String
        let seq: Int

        init?(argument: String) {
            let parts = argument.split(separator: ":")
            guard parts.count == 2, let seq = Int(parts[1]), seq >= 0 else { return nil }
            boot = String(parts[0])
            self.seq = seq
        }
    }

    @OptionGroup var client: ClientOptions

    @Option(help: "text, json (the daemon's own lines), srt or vtt.")
    var format = Format.text

    @Option(help: ArgumentHelp("The events to show, as in `transcript.*,device.*`.", valueName: "glob,..."))
    var events: String?

    @Option(help: ArgumentHelp("Begin after this event, if the daemon still has it.", valueName: "boot:seq"))
    var since: Since?

    func run() throws {
        let output = StandardOutput()
        var connection = try client.connect()
        let interrupt = Interrupt(descriptor: connection.descriptor)
        defer { interrupt.end() }
        var view = ListenView(format: format, output: output, isQuiet: client.common.quiet)
        do {
            try view.begin()
            let ending = try follow(&connection, &view)
            try view.end()
            if let ending, !interrupt.happened { throw ending }
        } catch is StandardOutput.Closed {
            return
        }
    }

    /// Shows events until the daemon ends the connection.
    /// - Returns: the failure to end with, if it ended badly.
    private func follow(_ connection: inout EventConnection, _ view: inout ListenView) throws -> CommandFailure? {
        // The hello comes first; it is part of what `json` shows.
        guard let hello = try message(&connection) else { return CommandFailure(.unavailable, "\(ClientError.ended)") }
        try view.show(hello.line, hello.value)
        let reply = try withClientErrors { () throws(ClientError) in
            try connection.request("subscribe", subscription(isTerminal: view.redraws))
        }
        if let refusal = refusal(in: reply.value) { return refusal }
        while let message = try message(&connection) {
            try view.show(message.line, message.value)
            guard message.value["event"]?.string == "bye" else { continue }
            switch message.value["code"]?.string {
            case "slow":
                return CommandFailure(.unavailable, "the daemon let go: events were read too slowly; listen again")
            case "protocol": return CommandFailure(.unavailable, "the daemon let go: it did not understand us")
            default: return nil
            }
        }
        return nil
    }

    private func message(_ connection: inout EventConnection) throws -> (line: [UInt8], value: JSONValue)? {
        try withClientErrors { () throws(ClientError) in try connection.nextMessage() }
    }

    private func subscription(isTerminal: Bool) -> JSONObject {
        let wanted: String? =
            switch format {
            case .text: events ?? "transcript.*,scene.final,device.*"
            case .json: events
            case .srt, .vtt: events ?? "transcript.final"
            }
        var fields: JSONObject = [:]
        if let wanted {
            let globs = wanted.split(separator: ",").map { JSONValue.string($0.trimmingCharacters(in: .whitespaces)) }
            fields["events"] = .array(globs)
        }
        if !isTerminal, format != .json { fields["partials"] = "off" }
        if let since { fields["since"] = ["boot": .string(since.boot), "seq": .int(since.seq)] }
        return fields
    }
}

/// Ctrl-C ends the connection, so that the loop ends in its own time and leaves the terminal clean.
private final class Interrupt {
    private let source: any DispatchSourceSignal
    private let flag = Flag()

    private final class Flag: Sendable {
        let isUp = Atomic(false)
    }

    init(descriptor: Int32) {
        signal(SIGINT, SIG_IGN)  // the source sees it all the same
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { [flag] in
            flag.isUp.store(true, ordering: .relaxed)
            shutdown(descriptor, CInt(SHUT_RDWR))
        }
        source.activate()
    }

    var happened: Bool { flag.isUp.load(ordering: .relaxed) }

    func end() { source.cancel() }
}
