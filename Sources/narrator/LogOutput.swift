import Logging

/// Where the log goes: stderr, one line each.
enum LogOutput {
    static func start(_ options: CommonOptions) {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = options.quiet ? .error : options.verbose ? .debug : .info
            return handler
        }
    }
}
