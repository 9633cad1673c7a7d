/// Something in a pipeline file that must or should change.
package struct Problem: Hashable, Sendable {
    /// Where it stands.
    package enum Place: Hashable, Sendable {
        case line(Int, file: String)
        /// An argument of `--set`, as given.
        case argument(String)
    }

    package let place: Place
    /// What is wrong, without a full stop.
    package let message: String
    /// What to do, as a sentence; empty if the message says it.
    package let remedy: String

    package init(_ place: Place, _ message: String, remedy: String) {
        self.place = place
        self.message = message
        self.remedy = remedy
    }

    /// The line in the file; nil for an argument.
    package var line: Int? {
        if case .line(let line, _) = place { line } else { nil }
    }
}

extension Problem: CustomStringConvertible {
    /// `demo.yaml:7: unknown key 'silense_ms' of stage 'utterances' (kind endpoint). Did you mean 'silence_ms'?`
    package var description: String {
        remedy.isEmpty ? "\(place): \(message)." : "\(place): \(message). \(remedy)"
    }
}

extension Problem.Place: CustomStringConvertible {
    package var description: String {
        switch self {
        case .line(let line, let file): "\(file):\(line)"
        case .argument(let argument): "--set \(argument)"
        }
    }
}

/// Why a pipeline file cannot be used.
package enum TopologyError: Error, Equatable {
    case missing(file: String)
    case unreadable(file: String, reason: String)
    /// Everything that is wrong, arguments first, then by line.
    case invalid([Problem])
}

extension TopologyError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing(let file):
            "There is no pipeline file '\(file)'. Check the name, or start from one of those in Pipelines."
        case .unreadable(let file, let reason):
            "The pipeline file '\(file)' cannot be read: \(reason). Check what it is and whether you may read it."
        case .invalid(let problems):
            problems.map(\.description).joined(separator: "\n")
        }
    }
}
