import Events
import Foundation

/// Writes what `listen` receives, in the format asked for.
struct ListenView {
    private let format: Listen.Format
    private let output: StandardOutput
    private let isQuiet: Bool
    private var terminal: TerminalTranscript
    private var subtitles: SubtitleWriter

    init(format: Listen.Format, output: StandardOutput, isQuiet: Bool) {
        self.format = format
        self.output = output
        self.isQuiet = isQuiet
        // https://no-color.org: any value but the empty one.
        terminal = TerminalTranscript(styled: ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty)
        subtitles = SubtitleWriter(format: format == .vtt ? .vtt : .srt)
    }

    /// Whether partials are redrawn in place.
    var redraws: Bool { format == .text && output.isTerminal }

    func begin() throws {
        if format == .srt || format == .vtt { try output.write(subtitles.header) }
    }

    /// - Parameter received: a message, and its line as it came, without its line feed.
    mutating func show(_ received: (line: [UInt8], value: JSONValue)) throws {
        let (line, message) = received
        let update = TranscriptUpdate(wire: message)
        let scene = format == .text ? FinalScene(wire: message)?.line(src: message["src"]?.string ?? "?") : nil
        switch format {
        case .json: try output.write(line + [UInt8(ascii: "\n")])
        case .srt, .vtt: if case .final(let final) = update { try output.write(subtitles.cue(final)) }
        case .text where output.isTerminal:
            if let update { try output.write(terminal.show(update, columns: output.columns)) }
            if let scene { try output.write(terminal.show(line: scene, columns: output.columns)) }
        case .text:
            if case .final(let final) = update { try output.write(final.line) }
            if let scene { try output.write(scene + "\n") }
        }
        if let note = note(on: message) { try say(note) }
    }

    /// Says something on stderr, beside what is shown.
    func say(_ note: String) throws {
        if isQuiet { return }
        if redraws { try output.write(terminal.wipe()) }
        FileHandle.standardError.write(Data("narrator: \(note)\n".utf8))
    }

    func end() throws {
        if redraws { try output.write(terminal.wipe()) }
    }

    /// What a reader of text should know beside the text.
    private func note(on message: JSONValue) -> String? {
        guard format != .json else { return nil }
        switch message["event"]?.string {
        case "gap": return message["count"]?.int.map { "\($0) events were lost" }
        case "device.lost": return message["message"]?.string
        case "device.restored": return "'\(message["src"]?.string ?? "the device")' is back"
        case "device.overrun": return message["lost_ms"]?.int.map { "\($0) ms of sound were lost" }
        case "mute.changed":
            return "'\(message["src"]?.string ?? "a source")' is \(message["muted"] == true ? "muted" : "heard again")"
        default: return nil
        }
    }
}
