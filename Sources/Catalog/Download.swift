import Foundation
import FoundationNetworking
import Synchronization

/// Fetches one file over HTTP into `NAME.part`, going on where an earlier try stopped.
struct Download: Sendable {
    struct Failure: Error {
        let reason: String
        /// Of the answer that refused.
        var status: Int?

        init(reason: String) { self.reason = reason }

        init(status: Int) { (reason, self.status) = ("the server answered with status \(status)", status) }
    }

    struct Patience: Sendable {
        var connect: Duration = .seconds(5)  // until the first answer: a hub that is out of reach must not hold us up
        var stall: Duration = .seconds(30)  // between two pieces
        var tries = 5  // in a row that bring nothing new
    }

    let url: URL
    let part: URL
    /// The size the file must have; more is never written.
    let bytes: Int
    /// Shown to the server of `url`, and to no other that it sends us on to.
    var token: String?
    var patience = Patience()

    /// Fetches until the part file is complete; after a cut connection it asks for the rest.
    /// - Throws: `Failure` for what the server or the network did; else why the part file cannot be written.
    func run(progress: @escaping @Sendable (Int) -> Void) async throws {
        var fruitless = 0
        while true {
            let before = Self.size(of: part)
            if before > bytes { try FileManager.default.removeItem(at: part) }
            if before == bytes { return }
            do {
                try await attempt(progress: progress)
                if Self.size(of: part) == bytes { return }
                throw Failure(reason: "the connection ended after \(Self.size(of: part)) of \(bytes) bytes")
            } catch let failure as Refusal {
                throw failure.failure  // asking again would not change it
            } catch let error as Unwritable {
                throw error.cause
            } catch {
                try Task.checkCancellation()
                fruitless = Self.size(of: part) > before ? 0 : fruitless + 1
                let reason = (error as? Failure)?.reason ?? systemReason(error)
                // What never answered is not asked again; what broke off is.
                guard before > 0 || Self.size(of: part) > 0, fruitless < patience.tries else {
                    throw Failure(reason: reason)
                }
                try await Task.sleep(for: .milliseconds(200 * (fruitless + 1)))
            }
        }
    }

    /// An answer that will not get better: a status, or bytes that cannot be the file's.
    struct Refusal: Error {
        let failure: Failure

        init(reason: String) { failure = Failure(reason: reason) }

        init(status: Int) { failure = Failure(status: status) }
    }

    /// The part file cannot be written: no server can help.
    fileprivate struct Unwritable: Error { let cause: any Error }

    private func attempt(progress: @escaping @Sendable (Int) -> Void) async throws {
        let offset = Self.size(of: part)
        let handle: FileHandle
        do {
            if !FileManager.default.fileExists(atPath: part.path) { try Data().write(to: part) }
            handle = try FileHandle(forWritingTo: part)
            try handle.seekToEnd()
        } catch {
            throw Unwritable(cause: error)
        }
        var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData)
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")  // else ranges count compressed bytes
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }

        let receiver = Receiver(handle: handle, offset: offset, bytes: bytes, progress: progress)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 24 * 3_600  // the watchdog below is the one that loses patience
        let session = URLSession(configuration: configuration, delegate: receiver, delegateQueue: nil)
        let task = session.dataTask(with: request)
        let watchdog = Task { [patience] in
            try await Task.sleep(for: patience.connect)
            if !receiver.hasAnswered { receiver.fail("no answer within \(patience.connect)", cancelling: task) }
            while true {
                let before = receiver.received
                try await Task.sleep(for: patience.stall)
                if receiver.received == before { receiver.fail("stalled for \(patience.stall)", cancelling: task) }
            }
        }
        defer {
            watchdog.cancel()
            session.finishTasksAndInvalidate()
            try? handle.close()
        }
        try await withTaskCancellationHandler {
            try await receiver.result(of: task)
        } onCancel: {
            task.cancel()
        }
    }

    private static func size(of file: URL) -> Int { FileStamp(file)?.bytes ?? 0 }
}

/// Writes what one request brings, as it comes.
private final class Receiver: NSObject, URLSessionDataDelegate, Sendable {
    private struct State {
        let handle: FileHandle
        var offset: Int
        var answered = false
        var received = 0
        var failure: (any Error)?
        var continuation: CheckedContinuation<Void, any Error>?
    }

    private let state: Mutex<State>
    private let bytes: Int
    private let progress: @Sendable (Int) -> Void

    init(handle: sending FileHandle, offset: Int, bytes: Int, progress: @escaping @Sendable (Int) -> Void) {
        state = Mutex(State(handle: handle, offset: offset))
        self.bytes = bytes
        self.progress = progress
    }

    var hasAnswered: Bool { state.withLock { $0.answered } }
    var received: Int { state.withLock { $0.received } }

    func result(of task: URLSessionDataTask) async throws {
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { $0.continuation = continuation }
            task.resume()
        }
    }

    func fail(_ reason: String, cancelling task: URLSessionTask) {
        state.withLock { $0.failure = $0.failure ?? Download.Failure(reason: reason) }
        task.cancel()
    }

    /// What is for one server's eyes does not go to the next.
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        var request = request
        if let origin = response.url, request.url?.hasOrigin(of: origin) != true {
            request.setValue(nil, forHTTPHeaderField: "Authorization")
        }
        completionHandler(request)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        let refusal = state.withLock { state in
            state.answered = true
            state.failure = state.failure ?? accept(response, &state)
            return state.failure
        }
        completionHandler(refusal == nil ? .allow : .cancel)
    }

    /// Checks the answer; a server that knows no ranges sends the whole file, which we then begin anew.
    private func accept(_ response: URLResponse, _ state: inout State) -> (any Error)? {
        let answer = response as? HTTPURLResponse
        switch answer?.statusCode ?? 0 {
        case 206:
            let range = answer?.value(forHTTPHeaderField: "Content-Range") ?? ""
            guard range.hasPrefix("bytes \(state.offset)-") else {
                return Download.Refusal(reason: "the server sent the range '\(range)' instead of the rest")
            }
        case 200:
            do {
                try state.handle.truncate(atOffset: 0)
            } catch {
                return Download.Unwritable(cause: error)
            }
            state.offset = 0
        case let status:
            return Download.Refusal(status: status)
        }
        return nil
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let total = state.withLock { state -> Int? in
            guard state.failure == nil else { return nil }
            guard state.offset + data.count <= bytes else {
                state.failure = Download.Refusal(reason: "the file is larger than the \(bytes) bytes it should have")
                return nil
            }
            do {
                try state.handle.write(contentsOf: data)
            } catch {
                state.failure = Download.Unwritable(cause: error)
                return nil
            }
            state.offset += data.count
            state.received += data.count
            return state.offset
        }
        if let total { progress(total) } else { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let (continuation, failure) = state.withLock { state in
            defer { state.continuation = nil }
            return (state.continuation, state.failure ?? error)
        }
        if let failure { continuation?.resume(throwing: failure) } else { continuation?.resume() }
    }
}
