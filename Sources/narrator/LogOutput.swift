import Foundation
import Logging

/// Where the log goes: stderr, one line each; under systemd with the levels that the journal understands.
enum LogOutput {
    /// Whether systemd reads our stderr.
    static let isJournal = !ProcessInfo.processInfo.environment["JOURNAL_STREAM", default: ""].isEmpty

    static func start(_ options: CommonOptions) {
        let level: Logger.Level = options.quiet ? .error : options.verbose ? .debug : .info
        LoggingSystem.bootstrap { label in
            var handler: any LogHandler =
                isJournal ? JournalHandler(label: label) : StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }
}

/// Lines as systemd reads them from a service's stderr: `<6>narrator: serving /run/narrator/narrator.sock`
/// (sd-daemon(3)). The journal stamps them itself.
struct JournalHandler: LogHandler {
    let label: String
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    init(label: String) { self.label = label }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let extra = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let text = "\(label): \(event.message)" + extra.map { " \($0.key)=\($0.value)" }.joined()
        FileHandle.standardError.write(Data(Self.lines(event.level, text).utf8))
    }

    /// Each line is an entry of its own, and needs its own level.
    static func lines(_ level: Logger.Level, _ text: String) -> String {
        text.split(separator: "\n").map { "<\(level.journal)>\($0)\n" }.joined()
    }
}

extension Logger.Level {
    /// syslog(3): 3 error, 4 warning, 5 notice, 6 information, 7 debug.
    fileprivate var journal: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
