package import Foundation

/// The folder that pulled models lie in, one folder a model, and the names that may lie there.
///
/// ```
/// name ─► CatalogEntry ─► ModelStore.pull ─► Puller: sources in order ─► hash ─► whole folder, by one rename
///                   ├───► of a hub: HubPuller: the hub's hashes ─► one file made of what came ─► its hash, recorded
///                   └───► ModelStore.resolve ─► folder (present and verified) ─► Weights, Tokenizers
/// ```
package struct ModelStore: Sendable {
    package let root: URL
    package let entries: [CatalogEntry]
    /// For the programs that pulling starts.
    let environment: [String: String]

    package init(
        root: URL, entries: [CatalogEntry] = CatalogEntry.known,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.root = root
        self.entries = entries
        self.environment = environment
    }

    /// The user's store: `NARRATOR_MODELS`, else `$XDG_CACHE_HOME/narrator/models`, else `~/.cache/narrator/models`.
    package static func standard(environment: [String: String] = ProcessInfo.processInfo.environment) -> ModelStore {
        func set(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let path: String
        if let models = set("NARRATOR_MODELS") {
            path = models
        } else if let cache = set("XDG_CACHE_HOME"), cache.hasPrefix("/") {  // the XDG rule: a relative path is ignored
            path = cache + "/narrator/models"
        } else {
            path = (set("HOME") ?? NSHomeDirectory()) + "/.cache/narrator/models"
        }
        return ModelStore(root: URL(fileURLWithPath: path, isDirectory: true), environment: environment)
    }

    package enum State: Sendable, Equatable {
        case absent
        case installed
        /// Names of the files that are missing or are not what the catalogue says.
        case damaged([String])
    }

    package func folder(of entry: CatalogEntry) -> URL { root.appendingPathComponent(entry.name, isDirectory: true) }

    /// - Throws: `CatalogError.unknownModel`, with the nearest names.
    package func entry(named name: String) throws(CatalogError) -> CatalogEntry {
        guard let entry = entries.first(where: { $0.name == name }) else {
            throw .unknownModel(name: name, nearest: NearestNames.of(name, among: entries.map(\.name)))
        }
        return entry
    }

    /// Whether a model can be loaded. A file not seen before is hashed, and that is recorded beside it if the store
    /// can be written.
    package func state(of entry: CatalogEntry) -> State {
        let folder = folder(of: entry)
        guard FileManager.default.fileExists(atPath: folder.path) else { return .absent }
        var record = VerificationRecord(folder: folder)
        let before = record.items.mapValues(\.stamp)
        let bad: [String]
        if let hub = entry.hub {
            let made = hub.weights.map(hub.file).filter { FileStamp(folder.appendingPathComponent($0)) != nil }
            if made.isEmpty { return .absent }
            bad = made.filter { !record.verifyRecorded($0, in: folder) }
        } else {
            bad = entry.files.filter { !record.verify($0, in: folder) }.map(\.name)
        }
        if record.items.mapValues(\.stamp) != before { try? record.write(to: folder) }
        return bad.isEmpty ? .installed : .damaged(bad)
    }

    /// The weights in which a model of the hub lies in the store, each file verified.
    package func installedWeights(of entry: CatalogEntry) -> [String] {
        guard let hub = entry.hub else { return [] }
        let folder = folder(of: entry)
        var record = VerificationRecord(folder: folder)
        return hub.weights.filter { record.verifyRecorded(hub.file($0), in: folder) }
    }

    /// The folder of a pulled model, the file of one that was made of the hub's, or a path as it was given.
    ///
    /// - Parameter weights: Which file of a model that lies in several weights; nil: the first there is.
    /// - Throws: `CatalogError.notPulled`, `.damaged`, `.unknownModel`, `.noSuchPath`.
    package func resolve(_ nameOrPath: String, weights: String? = nil) throws(CatalogError) -> URL {
        if let entry = entries.first(where: { $0.name == nameOrPath }) {
            switch state(of: entry) {
            case .installed: return try place(of: entry, weights)
            case .absent: throw .notPulled(name: entry.name, store: root.path)
            case .damaged(let files): throw .damaged(name: entry.name, store: root.path, files: files)
            }
        }
        let path = (nameOrPath as NSString).expandingTildeInPath
        if FileManager.default.fileExists(atPath: path) { return URL(fileURLWithPath: path) }
        if nameOrPath.contains("/") { throw .noSuchPath(nameOrPath) }
        throw .unknownModel(name: nameOrPath, nearest: NearestNames.of(nameOrPath, among: entries.map(\.name)))
    }

    private func place(of entry: CatalogEntry, _ weights: String?) throws(CatalogError) -> URL {
        guard let hub = entry.hub else { return folder(of: entry) }
        let there = installedWeights(of: entry)
        if let weights, hub.weights.contains(weights), !there.contains(weights) {
            throw .notPulled(name: "\(entry.name) --weights \(weights)", store: root.path)
        }
        guard let chosen = there.first(where: { $0 == weights }) ?? there.first else {
            throw .notPulled(name: entry.name, store: root.path)
        }
        return folder(of: entry).appendingPathComponent(hub.file(chosen))
    }

    /// Takes a model out of the store, whole or damaged, and what an unfinished pull has left of it.
    /// - Throws: `CatalogError.unknownModel`, `.notPulled`, `.storeFailed`.
    package func remove(_ name: String) async throws(CatalogError) {
        let entry = try entry(named: name)
        let lock = try await PullLock(store: self, name: name) {}
        defer { lock.release() }
        let staging = stagingFolder(of: entry)
        let files = FileManager.default
        let wasThere = files.fileExists(atPath: folder(of: entry).path)
        do {
            if files.fileExists(atPath: staging.path) { try files.removeItem(at: staging) }
            if wasThere {
                // Out of sight by one rename first, so that nobody meets half a model.
                try files.moveItem(at: folder(of: entry), to: staging)
                try files.removeItem(at: staging)
            }
        } catch {
            throw .storeFailed(path: folder(of: entry).path, reason: systemReason(error))
        }
        guard wasThere else { throw .notPulled(name: name, store: root.path) }
    }

    /// Where pulls are prepared: inside the store, so that the last step is a rename on one file system.
    var workFolder: URL { root.appendingPathComponent(".pull", isDirectory: true) }

    func stagingFolder(of entry: CatalogEntry) -> URL {
        workFolder.appendingPathComponent(entry.name, isDirectory: true)
    }
}
