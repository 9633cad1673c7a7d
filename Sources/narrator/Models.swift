import ArgumentParser
import Catalog
import Foundation

/// `narrator models`: the store of models.
struct Models: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Lists, pulls, removes, inspects, quantises and verifies models.",
        discussion: "The store is $NARRATOR_MODELS, else ~/.cache/narrator/models.",
        subcommands: [
            ModelsList.self, ModelsPull.self, ModelsRemove.self, ModelsInspect.self, ModelsQuantize.self,
            ModelsVerify.self
        ])
}

struct ModelsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the models there are and which of them are in the store.")

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let store = ModelStore.standard()
        let items = store.entries.map { Item($0, in: store) }
        if json { return print(try encodeJSON(Listing(store: store.root.path, models: items))) }
        let rows =
            [["NAME", "SIZE", "INSTALLED", "LICENCE"]]
            + items.map { [$0.name, formatBytes($0.bytes), $0.state, $0.licence] }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            print(cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
        }
    }

    private struct Listing: Encodable {
        let store: String
        let models: [Item]
    }

    private struct Item: Encodable {
        let name: String
        let bytes: Int
        let installed: Bool
        let state: String
        let licence: String
        let path: String?

        init(_ entry: CatalogEntry, in store: ModelStore) {
            name = entry.name
            bytes = entry.bytes
            licence = entry.licence
            switch store.state(of: entry) {
            case .absent: (installed, state, path) = (false, "no", nil)
            case .installed: (installed, state, path) = (true, "yes", store.folder(of: entry).path)
            case .damaged: (installed, state, path) = (false, "damaged", store.folder(of: entry).path)
            }
        }
    }
}

struct ModelsPull: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetches a model, and those it needs, into the store.")

    @Argument(help: "A name from `narrator models list`.")
    var name: String

    @Option(help: "q8 or q4, for models that come in several sizes.")
    var weights: String?

    @OptionGroup var common: CommonOptions

    mutating func run() async throws {
        let store = ModelStore.standard()
        do {
            _ = try store.entry(named: name)
            if let weights {
                throw CommandFailure(
                    .usage, "'\(name)' comes in one size, so there is no '--weights \(weights)'. Leave the option out.")
            }
            let progress = PullProgress(quiet: common.quiet, verbose: common.verbose)
            try await cancelledByInterrupt { [name] in
                try await store.pull(name) { progress.show($0) }
            }
        } catch let error as CatalogError {
            throw CommandFailure(error)
        }
    }
}

struct ModelsRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Deletes a model from the store.")

    @Argument(help: "A name from `narrator models list`.")
    var name: String

    @OptionGroup var common: CommonOptions

    mutating func run() async throws {
        do {
            try await ModelStore.standard().remove(name)
        } catch {
            throw CommandFailure(error)
        }
        if !common.quiet { writeError("Removed \(name).\n") }
    }
}

/// Runs an operation that an interrupt at the terminal cancels, so that the programs it started end too.
func cancelledByInterrupt(_ operation: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task { try await operation() }
    let sources = [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)  // else the process would end before the source sees it
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { task.cancel() }
        source.resume()
        return source
    }
    defer { sources.forEach { $0.cancel() } }
    try await task.value
}
