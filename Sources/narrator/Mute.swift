import ArgumentParser
import Events

struct Mute: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Has a running daemon hear and see nothing.",
        discussion: "Short for `narrator send mute`. Without a source all are muted.")

    @OptionGroup var client: ClientOptions

    @Argument(help: "The source, as `narrator status` names it.")
    var source: String?

    @Option(name: .customLong("for"), help: ArgumentHelp("Until it ends by itself.", valueName: "seconds"))
    var seconds: Double?

    @Flag(help: "Throw away what was said and is not told yet, and keep what was told for nobody.")
    var forget = false

    func run() throws {
        var fields: JSONObject = [:]
        fields["src"] = source.map { .string($0) }
        fields["for_s"] = seconds.map { .double($0) }
        if forget { fields["forget"] = true }
        try client.send("mute", fields)
    }
}

struct Unmute: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Has a running daemon hear and see again.",
        discussion: "Short for `narrator send unmute`. Without a source all are unmuted.")

    @OptionGroup var client: ClientOptions

    @Argument(help: "The source, as `narrator status` names it.")
    var source: String?

    func run() throws {
        var fields: JSONObject = [:]
        fields["src"] = source.map { .string($0) }
        try client.send("unmute", fields)
    }
}
