import Events
import Glibc
import Logging
import NIOCore
import Synchronization

/// Writes what waits for a client, in a turn of its connection's event loop: an event for a hundred clients is one turn
/// of that loop, and no task.
///
/// One write is under way at a time, so that all that can pile up is the bounded outbox.
final class ClientWriter: ClientOutlet {
    private let id: Int
    private let channel: any Channel
    private let exchange: Exchange
    private let logger: Logger
    /// Whether a turn is coming anyway.
    private let isDue = Atomic(false)
    /// Whether the kernel has not taken the last write yet, or there is to be no other. The event loop's.
    private let isBusy: NIOLoopBoundBox<Bool>

    init(id: Int, channel: any Channel, exchange: Exchange, logger: Logger) {
        self.id = id
        self.channel = channel
        self.exchange = exchange
        self.logger = logger
        isBusy = .makeBoxSendingValue(false, eventLoop: channel.eventLoop)
    }

    func wake() {
        guard !isDue.exchange(true, ordering: .acquiringAndReleasing) else { return }
        channel.eventLoop.execute { self.write() }
    }

    func hangUp(after grace: Duration) {
        channel.eventLoop.scheduleTask(in: .nanoseconds(Int64(grace / .nanoseconds(1)))) {
            self.channel.close(promise: nil)
        }
    }

    private func write() {
        isDue.store(false, ordering: .sequentiallyConsistent)  // before `take`: what comes after it wakes us again
        guard !isBusy.value else { return }
        switch exchange.take(id) {
        case .wait: return
        case .bytes(let bytes):
            isBusy.value = true
            guard !hasGone else { return }
            channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenComplete { result in
                guard case .success = result else { return self.channel.close(promise: nil) }
                self.isBusy.value = false
                self.wake()  // in a turn of its own: a client that takes much does not hold up the others
            }
        case .end(let code):
            isBusy.value = true
            if let code, code != .shutdown { logger.notice("client \(id) let go: \(code)") }
            channel.close(promise: nil)
        }
    }

    /// A write to a client that has gone fails, and NIO then closes without reading what the client sent before. So
    /// to such a client nothing is written; NIO finds the end by itself once it has read everything.
    private var hasGone: Bool {
        let state = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable {
            (descriptor: NIOBSDSocket.Handle) in
            var state = pollfd(fd: descriptor, events: 0, revents: 0)
            return poll(&state, 1, 0) == 1 && state.revents & Int16(POLLHUP) != 0
        }
        return state ?? false
    }
}
