package import Foundation

extension ModelStore {
    /// Pulls a model of the hub: its published files come into the store, `make` makes of them the file that is kept, and
    /// they are deleted. Interrupted at any point, the next pull goes on with what has arrived.
    ///
    /// - Parameters:
    ///   - weights: One of the model's.
    ///   - make: Given the folder of the published files and the file to make.
    /// - Throws: `CatalogError`, or what `make` throws.
    package func pull(
        _ name: String, weights: String, report: @escaping @Sendable (PullEvent) -> Void,
        make: @Sendable (_ published: URL, _ file: URL) async throws -> Void
    ) async throws {
        let entry = try entry(named: name)
        guard let hub = entry.hub else { preconditionFailure("\(name) is not made of files of the hub") }
        precondition(hub.weights.contains(weights), "\(weights) of \(hub.weights)")
        try await HubPuller(store: self, entry: entry, hub: hub, weights: weights, report: report).pull(make)
    }
}

/// Pulls one model of the hub.
struct HubPuller {
    let store: ModelStore
    let entry: CatalogEntry
    let hub: HubModel
    let weights: String
    let report: @Sendable (PullEvent) -> Void

    private var staging: URL { store.stagingFolder(of: entry) }
    private var published: URL { staging.appendingPathComponent("published", isDirectory: true) }
    /// Becomes the model's folder.
    private var complete: URL { staging.appendingPathComponent("complete", isDirectory: true) }

    func pull(_ make: @Sendable (URL, URL) async throws -> Void) async throws {
        if isInstalled() { return }
        report(.began(entry))
        guard let token = store.environment["HF_TOKEN"]?.trimmingCharacters(in: .whitespacesAndNewlines),
            !token.isEmpty
        else { throw gated("there is no token in HF_TOKEN") }
        // Anything else could end the line of the request that it stands in.
        guard token.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else { throw gated("what HF_TOKEN holds is no token") }
        let lock = try await PullLock(store: store, name: entry.name) { report(.waiting(model: entry.name)) }
        defer { lock.release() }
        if isInstalled() { return }  // by whoever had the lock
        try inStore { try FileManager.default.createDirectory(at: published, withIntermediateDirectories: true) }
        do {
            try await fetch(token)
        } catch {
            throw explained(error)
        }
        let file = staging.appendingPathComponent(hub.file(weights))
        report(.making(entry, file: file.lastPathComponent))
        try await make(published, file)
        try inStore { try install(file) }
        report(.installed(entry, path: store.folder(of: entry).appendingPathComponent(hub.file(weights)).path))
        if (try? FileManager.default.removeItem(at: staging)) != nil { report(.discarded(entry)) }
    }

    private func isInstalled() -> Bool {
        guard store.installedWeights(of: entry).contains(weights) else { return false }
        report(.alreadyInstalled(entry, path: store.folder(of: entry).appendingPathComponent(hub.file(weights)).path))
        return true
    }

    private func fetch(_ token: String) async throws {
        report(.trying(model: entry.name, source: hub.page(store.environment)))
        for name in hub.files { try await fetch(name, token) }
        let index = try Data(contentsOf: published.appendingPathComponent(HubModel.index))
        for name in try HubModel.shards(index: index) { try await fetch(name, token) }
    }

    /// One file, unless what the hub has lies here already.
    private func fetch(_ name: String, _ token: String) async throws {
        let url = try hub.url(of: name, store.environment)
        let wanted = try await HubFile.ask(url, token: token)
        let file = published.appendingPathComponent(name)
        if FileStamp(file)?.bytes == wanted.bytes, wanted.matches(file) { return }
        let part = staging.appendingPathComponent("\(name).part")
        let download = Download(url: url, part: part, bytes: wanted.bytes, token: token)
        try await download.run { [report, model = entry.name] done in
            report(.progress(model: "\(model) \(name)", done: done, of: wanted.bytes))
        }
        guard wanted.matches(part) else {
            try? FileManager.default.removeItem(at: part)
            throw Download.Failure(reason: "\(name) is not the file that the hub told of: its hash is another")
        }
        try Puller.sync(part)
        if FileManager.default.fileExists(atPath: file.path) { try FileManager.default.removeItem(at: file) }
        try FileManager.default.moveItem(at: part, to: file)
    }

    /// Puts the made file in its place, beside those of other weights that are good.
    private func install(_ file: URL) throws {
        let files = FileManager.default
        let target = store.folder(of: entry)
        if files.fileExists(atPath: complete.path) { try files.removeItem(at: complete) }
        try files.createDirectory(at: complete, withIntermediateDirectories: true)
        let old = VerificationRecord(folder: target)
        var record = VerificationRecord()
        for other in store.installedWeights(of: entry).map(hub.file) where other != file.lastPathComponent {
            try files.linkItem(
                at: target.appendingPathComponent(other), to: complete.appendingPathComponent(other))
            record.items[other] = old.items[other]
        }
        try Puller.sync(file)
        try record.add(file)
        try files.moveItem(at: file, to: complete.appendingPathComponent(file.lastPathComponent))
        try record.write(to: complete)
        try Puller.replace(target, with: complete, old: staging.appendingPathComponent("old", isDirectory: true))
    }

    private func gated(_ reason: String) -> CatalogError {
        .gated(name: entry.name, page: hub.page(store.environment), reason: reason)
    }

    private func explained(_ error: any Error) -> any Error {
        if Task.isCancelled { return CatalogError.cancelled(name: entry.name) }
        guard let failure = error as? Download.Failure else {
            return CatalogError.storeFailed(path: staging.path, reason: systemReason(error))
        }
        switch failure.status {
        case 401: return gated("the hub does not know the token in HF_TOKEN")
        case 403: return gated("the hub does not give it to the owner of the token in HF_TOKEN")
        default:
            let attempt = CatalogError.Attempt(source: hub.page(store.environment), reason: failure.reason)
            return CatalogError.pullFailed(name: entry.name, attempts: [attempt])
        }
    }

    private func inStore(_ work: () throws -> Void) throws(CatalogError) {
        do { try work() } catch {
            throw .storeFailed(path: store.folder(of: entry).path, reason: systemReason(error))
        }
    }
}
