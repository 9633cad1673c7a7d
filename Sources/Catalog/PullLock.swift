import Foundation

/// Keeps two processes from pulling the same model at once. The lock is the kernel's: it ends with its holder.
struct PullLock: Sendable {
    private let descriptor: CInt

    /// Takes the lock, waiting for another holder.
    /// - Parameter waiting: called once if somebody else has it.
    /// - Throws: `CatalogError.storeFailed` when the store cannot be written, `.cancelled`.
    init(store: ModelStore, name: String, waiting: () -> Void) async throws(CatalogError) {
        let path = store.workFolder.appendingPathComponent("\(name).lock").path
        do {
            try FileManager.default.createDirectory(at: store.workFolder, withIntermediateDirectories: true)
        } catch {
            throw .storeFailed(path: store.root.path, reason: error.localizedDescription)
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .storeFailed(path: path, reason: String(cString: strerror(errno))) }
        var told = false
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                let reason = String(cString: strerror(errno))
                close(descriptor)
                throw .storeFailed(path: path, reason: reason)
            }
            if !told { waiting() }
            told = true
            do {
                try await Task.sleep(for: .milliseconds(100))
            } catch {
                close(descriptor)
                throw .cancelled(name: name)
            }
        }
    }

    func release() { close(descriptor) }
}
