import ArgumentParser
import EventServer
import Events
import Foundation

struct Listen: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what a running daemon hears and sees, as it happens.",
        discussion: """
            On a terminal the text of an utterance is redrawn while it is spoken; a pipe gets finals only. \
            What is seen is a line of its own: [camera] espresso, coffee mug

            A connection that breaks is made anew and goes on where it broke. A daemon that ends in order ends the \
            listening, unless --follow waits for the next.
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text, json, srt, vtt
    }

    /// `BOOT:SEQ`: the newest event that was seen before.
    struct Since: ExpressibleByArgument, Equatable {
        let boot: String
        let seq: Int

        init(boot: String, seq: Int) { (self.boot, self.seq) = (boot, seq) }

        init?(argument: String) {
            let parts = argument.split(separator: ":")
            guard parts.count == 2, let seq = Int(parts[1]), seq >= 0 else { return nil }
            self.init(boot: String(parts[0]), seq: seq)
        }
    }

    @OptionGroup var client: ClientOptions

    @Option(help: "text, json (the daemon's own lines), srt or vtt.")
    var format = Format.text

    @Option(help: ArgumentHelp("The events to show, as in `transcript.*,device.*`.", valueName: "glob,..."))
    var events: String?

    @Option(help: ArgumentHelp("Begin after this event, if the daemon still has it.", valueName: "boot:seq"))
    var since: Since?

    @Flag(help: "When the daemon ends, wait for the next one.")
    var follow = false

    func run() throws {
        let interrupt = Interrupt()
        defer { interrupt.end() }
        let output = StandardOutput()
        var view = ListenView(format: format, output: output, isQuiet: client.common.quiet)
        var position = since
        do {
            try view.begin()
            // A daemon that is not there at the beginning is an error; one that goes is waited for.
            var ending = try listen(to: try client.connect(), interrupt, &view, &position)
            while !interrupt.happened, let reason = reasonToReturn(after: ending) {
                try view.say("\(reason); connecting again")
                guard let connection = try reconnect(interrupt) else { break }
                try view.say(position.map { "connected again, after \($0.boot):\($0.seq)" } ?? "connected again")
                ending = try listen(to: connection, interrupt, &view, &position)
            }
            try view.end()
            if case .refused(let failure) = ending { throw failure }
        } catch is StandardOutput.Closed {
            return
        }
    }

    /// How a connection ended.
    private enum Ending {
        /// The daemon has ended in order.
        case over
        case slow
        case broken
        case refused(CommandFailure)
    }

    private func reasonToReturn(after ending: Ending) -> String? {
        switch ending {
        case .broken: "the connection to the daemon broke"
        case .slow: "the daemon let go, as events were read too slowly"
        case .over: follow ? "the daemon has ended" : nil
        case .refused: nil
        }
    }

    /// Tries until a daemon is there; nil if the user no longer wants to.
    private func reconnect(_ interrupt: Interrupt) throws -> EventConnection? {
        var pause: UInt32 = 50_000  // microseconds
        while !interrupt.happened {
            do { return try client.connect() } catch let failure as CommandFailure {
                guard failure.status == .unavailable else { throw failure }
            }
            usleep(pause)
            pause = min(pause * 2, 1_000_000)
        }
        return nil
    }

    /// Shows events until the connection ends, and keeps `position` at the newest.
    private func listen(
        to made: consuming EventConnection, _ interrupt: Interrupt, _ view: inout ListenView, _ position: inout Since?
    ) throws -> Ending {
        var connection = made
        interrupt.shutsDown(connection.descriptor)
        defer { interrupt.shutsDown(nil) }
        do {
            // The hello comes first; it is part of what `json` shows, once for each daemon.
            guard let hello = try connection.nextMessage() else { return .broken }
            if hello.value["boot"]?.string != position?.boot || position == since { try view.show(hello) }
            let fields = subscription(since: position, isTerminal: view.redraws)
            let reply = try connection.request("subscribe", fields).value
            if let refusal = refusal(in: reply) { return .refused(refusal) }
            if let boot = reply["result"]?["boot"]?.string, position?.boot != boot {
                // Of a daemon that is new to us everything comes again if the connection breaks now.
                position = Since(boot: boot, seq: position == nil ? reply["result"]?["seq"]?.int ?? 0 : 0)
            }
            while let message = try connection.nextMessage() {
                if message.value["event"] == "bye", let ending = ending(message.value) { return ending }
                try view.show(message)
                if let boot = position?.boot, let seq = message.value["seq"]?.int {
                    position = Since(boot: boot, seq: seq)
                }
                if message.value["event"] == "bye" { return .over }
            }
            return .broken
        } catch let error as ClientError {
            if error == .ended { return .broken }
            if case .lost = error { return .broken }
            return try withClientErrors { () throws(ClientError) in throw error }
        }
    }

    /// What a `bye` means for us; nil: the end.
    private func ending(_ bye: JSONValue) -> Ending? {
        switch bye["code"]?.string {
        case "slow": .slow
        case "protocol": .refused(CommandFailure(.unavailable, "the daemon let go: it did not understand us"))
        default: nil
        }
    }

    private func subscription(since: Since?, isTerminal: Bool) -> JSONObject {
        let wanted: String? =
            switch format {
            case .text: events ?? "transcript.*,scene.final,device.*,mute.*"
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
