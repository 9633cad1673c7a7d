import ArgumentParser
import Catalog
import Foundation
import Gemma
import Kernels

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
            + items.map { [$0.name, formatBytes($0.bytes), $0.installedText, $0.licence] }
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
        let weights: [String]  // of a model that comes in several
        let licence: String
        let path: String?

        var installedText: String {
            installed && !weights.isEmpty ? weights.joined(separator: ", ") : state
        }

        init(_ entry: CatalogEntry, in store: ModelStore) {
            name = entry.name
            bytes = entry.bytes
            licence = entry.licence
            switch store.state(of: entry) {
            case .absent: (installed, state, path) = (false, "no", nil)
            case .installed: (installed, state, path) = (true, "yes", store.folder(of: entry).path)
            case .damaged: (installed, state, path) = (false, "damaged", store.folder(of: entry).path)
            }
            weights = store.installedWeights(of: entry)
        }
    }
}

struct ModelsPull: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetches a model, and those it needs, into the store.",
        discussion: """
            Gemma is given by its publisher to those who accepted its licence: HF_TOKEN names you there. It is fetched once \
            as published, quantised, and kept as one file. HF_ENDPOINT is another hub to ask.
            """)

    @Argument(help: "A name from `narrator models list`.")
    var name: String

    @Option(help: "q4 or q8, for models that come in several sizes; q4 if not given.")
    var weights: String?

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var common: CommonOptions

    mutating func run() async throws {
        let store = ModelStore.standard()
        do {
            let entry = try store.entry(named: name)
            let progress = PullProgress(quiet: common.quiet, verbose: common.verbose)
            if let hub = entry.hub { return try await pull(hub, from: store, progress) }
            if let weights {
                throw CommandFailure(
                    .usage, "'\(name)' comes in one size, so there is no '--weights \(weights)'. Leave the option out.")
            }
            try await cancelledByInterrupt { [name] in
                try await store.pull(name) { progress.show($0) }
            }
        } catch {
            throw CommandFailure(describing: error)
        }
    }

    /// A Gemma: fetched as published, kept quantised.
    private func pull(_ hub: HubModel, from store: ModelStore, _ progress: PullProgress) async throws {
        let weights = weights ?? hub.weights[0]
        guard hub.weights.contains(weights), let target = ModelsQuantize.Target(rawValue: weights) else {
            throw CommandFailure(
                .usage, "'\(name)' comes in \(hub.weights.joined(separator: " and ")), not in '\(weights)'.")
        }
        let pool = ThreadPool(threads: try compute.threadCount)
        let isQuiet = common.quiet
        try await cancelledByInterrupt { [name] in
            do {
                try await store.pull(name, weights: weights, report: { progress.show($0) }) { published, file in
                    let quantizer = try GemmaQuantizer(GemmaModel(published.path), to: target.format)
                    try quantizer.write(to: file.path, pool: pool, isQuiet: isQuiet)
                }
            } catch is CancellationError {
                throw CatalogError.cancelled(name: name)
            }
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
