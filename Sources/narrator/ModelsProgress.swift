import Catalog
import Foundation
import Synchronization

/// Tells on stderr how a pull goes: one redrawn line on a terminal, single lines into a file, nothing when quiet.
final class PullProgress: Sendable {
    private struct Line {
        var isDrawn = false
        var nextDraw = ContinuousClock.now
    }

    private let quiet: Bool
    private let verbose: Bool
    private let isTerminal = isatty(STDERR_FILENO) != 0
    private let line = Mutex(Line())

    init(quiet: Bool, verbose: Bool) {
        self.quiet = quiet
        self.verbose = verbose
    }

    func show(_ event: PullEvent) {
        if quiet { return }
        switch event {
        case .alreadyInstalled(let entry, let path): say("\(entry.name) is installed already, in \(path).")
        case .waiting(let model): say("Another process is pulling \(model); waiting for it.")
        case .began(let entry):
            say("Pulling \(entry.name): \(formatBytes(entry.bytes)), licence \(entry.licence).")
        case .trying(let model, let source): say("\(model): trying \(source).")
        case .sourceFailed(let model, let source, let reason): say("\(model): not from \(source): \(reason)")
        case .progress(let model, let done, let total): draw(model, done, total)
        case .making(let entry, let file): say("\(entry.name): making \(file) of what has arrived.")
        case .installed(let entry, let path): say("\(entry.name) is installed in \(path).")
        case .discarded(let entry):
            say(
                "\(entry.name): the published files, \(formatBytes(entry.bytes)), are deleted; the new one holds all that is used."
            )
        }
    }

    private func say(_ text: String) {
        line.withLock { line in
            writeError((line.isDrawn ? "\r\u{1B}[K" : "") + text + "\n")
            line = Line()
        }
    }

    private func draw(_ model: String, _ done: Int, _ total: Int) {
        guard isTerminal else { return }
        line.withLock { line in
            let now = ContinuousClock.now
            guard now >= line.nextDraw else { return }
            line = Line(isDrawn: true, nextDraw: now + .milliseconds(100))
            let percent = total > 0 ? done * 100 / total : 100
            writeError("\r\u{1B}[K\(model): \(formatBytes(done)) of \(formatBytes(total)), \(percent) %")
        }
    }
}

/// One redrawn line on a terminal for long work of one kind; nothing elsewhere.
struct WorkProgress {
    private let isDrawn: Bool
    private var nextDraw = ContinuousClock.now

    init(quiet: Bool) { isDrawn = !quiet && isatty(STDERR_FILENO) != 0 }

    mutating func draw(_ name: String, _ done: Int, _ total: Int) {
        let now = ContinuousClock.now
        guard isDrawn, now >= nextDraw else { return }
        nextDraw = now + .milliseconds(100)
        let percent = total > 0 ? done * 100 / total : 100
        writeError("\r\u{1B}[K\(name): \(formatBytes(done)) of \(formatBytes(total)), \(percent) %")
    }

    func clear() { if isDrawn { writeError("\r\u{1B}[K") } }
}

func writeError(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

/// Decimal units, as downloads are counted: `75.5 MB`.
func formatBytes(_ bytes: Int) -> String {
    switch bytes {
    case 1_000_000_000...: String(format: "%.1f GB", Double(bytes) / 1e9)
    case 1_000_000...: String(format: "%.1f MB", Double(bytes) / 1e6)
    case 1_000...: String(format: "%.1f kB", Double(bytes) / 1e3)
    default: "\(bytes) bytes"
    }
}

/// One line of JSON, members in alphabetical order.
func encodeJSON(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
