import Foundation
import FoundationNetworking
import Synchronization

/// What the hub says of one of its files.
struct HubFile: Equatable {
    enum Digest: Equatable {
        case sha256(String)
        /// SHA-1 of the file as git stores it.
        case gitBlob(String)

        /// From an entity tag: `"…"` or `W/"…"`, in lower or upper case.
        init?(tag: String) {
            let text = (tag.hasPrefix("W/") ? tag.dropFirst(2) : Substring(tag)).filter { $0 != "\"" }.lowercased()
            guard text.allSatisfy(\.isHexDigit) else { return nil }
            switch text.utf8.count {
            case 64: self = .sha256(text)
            case 40: self = .gitBlob(text)
            default: return nil
            }
        }
    }

    let bytes: Int
    let digest: Digest

    /// No published file is larger; what claims to be is not begun.
    static let maxBytes = 64 << 30
    private static let patienceSeconds = 10.0
    /// Who sends us on more often goes in circles.
    private static let maxHops = 8

    /// True if the bytes are those the hub has.
    func matches(_ file: URL) -> Bool {
        switch digest {
        case .sha256(let expected): FileDigest.sha256(of: file) == expected
        case .gitBlob(let expected): FileDigest.gitBlob(of: file) == expected
        }
    }

    /// Asks the hub, whose answer may be where to go next: what other servers say does not count.
    /// - Throws: `Download.Failure`.
    static func ask(_ url: URL, token: String) async throws -> HubFile {
        var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData)
        request.httpMethod = "HEAD"
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        let listener = Listener()
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = patienceSeconds
        let session = URLSession(configuration: configuration, delegate: listener, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: request)
        try await withTaskCancellationHandler {
            try await listener.result(of: task)
        } onCancel: {
            task.cancel()
        }
        return try listener.file(name: url.lastPathComponent)
    }

    /// Collects what the hub says on the way to the file, and leaves at its door.
    private final class Listener: NSObject, URLSessionDataDelegate, Sendable {
        private struct State {
            var status = 0
            var fields: [String: String] = [:]
            var hasLeft = false
            var hops = 0
            var continuation: CheckedContinuation<Void, any Error>?
        }

        private let state = Mutex(State())

        func result(of task: URLSessionDataTask) async throws {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.continuation = continuation }
                task.resume()
            }
        }

        private func take(_ response: HTTPURLResponse) {
            state.withLock { state in
                state.status = response.statusCode
                state.hops += 1
                for field in ["X-Linked-ETag", "X-Linked-Size", "ETag", "Content-Length"] {
                    if let value = response.value(forHTTPHeaderField: field) { state.fields[field] = value }
                }
            }
        }

        func urlSession(
            _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
            newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
        ) {
            take(response)
            guard let origin = response.url, request.url?.hasOrigin(of: origin) == true,
                state.withLock({ $0.hops <= HubFile.maxHops })
            else {
                state.withLock { $0.hasLeft = true }
                completionHandler(nil)
                return task.cancel()
            }
            completionHandler(request)
        }

        func urlSession(
            _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
            completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
        ) {
            if let response = response as? HTTPURLResponse, state.withLock({ !$0.hasLeft }) { take(response) }
            completionHandler(.allow)
        }

        func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
            let (continuation, hasLeft) = state.withLock { state in
                defer { state.continuation = nil }
                return (state.continuation, state.hasLeft)
            }
            if let error, !hasLeft {
                let isSilent = (error as? URLError)?.code == .timedOut
                continuation?.resume(
                    throwing: Download.Failure(reason: isSilent ? "the hub does not answer" : systemReason(error)))
            } else {
                continuation?.resume()
            }
        }

        func file(name: String) throws -> HubFile {
            let (status, fields) = state.withLock { ($0.status, $0.fields) }
            guard (200..<400).contains(status) else { throw Download.Failure(status: status) }
            // An answer that sends on has a length of its own, which is not the file's.
            let size = fields["X-Linked-Size"] ?? (status < 300 ? fields["Content-Length"] : nil)
            guard let bytes = size.flatMap({ Int($0) }), (1...HubFile.maxBytes).contains(bytes) else {
                throw Download.Failure(reason: "the hub does not say how long \(name) is")
            }
            guard let tag = fields["X-Linked-ETag"] ?? fields["ETag"], let digest = Digest(tag: tag) else {
                throw Download.Failure(reason: "the hub does not tell the hash of \(name)")
            }
            return HubFile(bytes: bytes, digest: digest)
        }
    }
}

extension URL {
    /// Whether both are served by the same server over the same kind of connection: scheme, host and port.
    func hasOrigin(of other: URL) -> Bool {
        scheme?.lowercased() == other.scheme?.lowercased() && host?.lowercased() == other.host?.lowercased()
            && port == other.port
    }
}
