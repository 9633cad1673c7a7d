import Events
import Media

extension CommandFailure {
    /// A file that failed while others go on: said on stderr, and on stdout where the format has a place for it.
    func show(of file: String, asJSON: Bool, to output: StandardOutput) throws {
        if asJSON {
            let line: JSONValue = ["file": .string(file), "error": .string(message)]
            try output.write(line.line)
        }
        CommandFailure(status, "\(file): \(message)").report()
    }
}

extension MediaTime {
    /// For people and scripts: milliseconds are enough.
    var roundedSeconds: Double { Double(milliseconds) / 1_000 }
}
