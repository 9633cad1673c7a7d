package import Events
import Glibc
package import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Serves events on a Unix socket: the thin shell of NIO around an `Exchange`.
///
/// Its life: `bind`, so that clients can connect before a source starts; `run` for as long as it serves; `drain`.
/// Events may be emitted at any time from any thread, and never wait for a client.
package final class EventServer: EventSink {
    private enum Phase {
        case new
        case bound(ListeningSocket)
        /// `run` has the socket and NIO is about to.
        case starting(ListeningSocket)
        case running(ListeningSocket, any Channel)
        case over
    }

    private let configuration: Configuration
    private let exchange: Exchange
    private let logger: Logger
    private let phase = Mutex(Phase.new)

    package init(
        configuration: Configuration, commands: any CommandHandler, logger: Logger = Logger(label: "narrator.server")
    ) {
        self.configuration = configuration
        self.logger = logger
        exchange = Exchange(configuration: configuration, commands: commands)
    }

    /// Identifies this run of the server.
    package var boot: String { exchange.boot }

    package func emit(_ body: EventBody, src: String) { exchange.emit(body, src: src) }

    /// Nobody who comes from now on is told what was heard and seen of a source; a `gap` stands in its place.
    package func forget(src: String) { exchange.forget(src: src) }

    /// Clients with at least one subscription.
    package var subscriberCount: Int { exchange.counts.subscribers }

    /// Returns when `count` clients have subscribed, or the task is cancelled.
    package func waitForSubscribers(_ count: Int) async {
        await exchange.wait { $0.subscribers >= count }
    }

    /// Makes the socket and listens. Clients that connect from now on are served once `run` runs.
    package func bind() throws(EventServerError) {
        let socket = try ListeningSocket(path: configuration.path)
        phase.withLock { $0 = .bound(socket) }
    }

    /// Serves until `drain`; a cancelled task hangs up on all clients at once.
    package func run() async throws {
        let bound: ListeningSocket? = phase.withLock { phase in
            guard case .bound(let socket) = phase else { return nil }
            phase = .starting(socket)
            return socket
        }
        guard let socket = bound else { return }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { socket.unlink() }
        do {
            // A write to a client that does not read ends only when its connection does.
            try await withTaskCancellationHandler {
                try await serve(socket, on: group)
            } onCancel: {
                exchange.hangUp()
            }
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    /// Takes no new clients, lets the connected ones have what waits for them and a `bye`, hangs up on those that have
    /// not taken it after `timeout`, and removes the socket's file.
    package func drain(timeout: Duration = .seconds(5)) async {
        let last = phase.withLock { phase in
            defer { phase = .over }
            return phase
        }
        switch last {
        case .bound(let socket):
            socket.unlink()
            socket.close()
        case .starting(let socket): socket.unlink()  // `run` finds that it is over
        case .running(let socket, let channel):
            socket.unlink()
            channel.close(promise: nil)
        case .new, .over: break
        }
        exchange.shutDown()
        await withTaskGroup { group in
            group.addTask { await self.exchange.wait { $0.clients == 0 } }
            group.addTask { try? await Task.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
        exchange.hangUp()
    }

    /// Removes the socket's file, of a process that ends at once.
    package func removeSocket() {
        switch phase.withLock({ $0 }) {
        case .bound(let socket), .starting(let socket), .running(let socket, _): socket.unlink()
        case .new, .over: break
        }
    }

    private struct Arrival: Sendable {
        let stream: NIOAsyncChannel<ByteBuffer, Never>
        let peer: Peer?
    }

    private func serve(_ socket: ListeningSocket, on group: MultiThreadedEventLoopGroup) async throws {
        let listener = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(socket.descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Asked here, because a client that hangs up at once has gone a moment later.
                    let peer = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable { Peer(of: $0) }
                    let stream = try NIOAsyncChannel<ByteBuffer, Never>(wrappingChannelSynchronously: channel)
                    return Arrival(stream: stream, peer: peer ?? nil)
                }
            }
        let isWanted = phase.withLock { phase in
            guard case .starting = phase else { return false }
            phase = .running(socket, listener.channel)
            return true
        }
        guard isWanted else { return listener.channel.close(promise: nil) }
        try await withThrowingDiscardingTaskGroup { clients in
            try await listener.executeThenClose { arrivals in
                for try await client in arrivals {
                    clients.addTask { await self.serve(client) }
                }
            }
        }
    }

    /// The life of one client. What goes wrong on its connection ends it and nothing else.
    private func serve(_ client: Arrival) async {
        let (channel, peer) = (client.stream.channel, client.peer)
        let role: Role = peer.map { isTrusted($0.uid) } ?? false ? .control : .read
        let served = exchange.connect(role: role) { grace in
            channel.eventLoop.scheduleTask(in: .nanoseconds(Int64(grace / .nanoseconds(1)))) {
                channel.close(promise: nil)
            }
        }
        logger.debug("client \(served.id) connected: pid \(peer?.pid ?? 0), \(role)")
        // The writer sleeps while nothing is to be said; this wakes it when the client has gone.
        channel.closeFuture.whenComplete { [exchange] _ in exchange.disconnect(served.id) }
        do {
            try await client.stream.executeThenClose { inbound, _ in
                await withTaskGroup { tasks in
                    tasks.addTask { try? await self.read(inbound, from: served.id, role: role) }
                    try? await self.write(to: channel, for: served)
                    // Ends the reader, but not before it has handled what came in: a client may ask and hang up.
                    channel.close(promise: nil)
                }
            }
        } catch {
            logger.debug("client \(served.id): \(error)")
        }
        exchange.disconnect(served.id)
    }

    private func isTrusted(_ uid: UInt32) -> Bool {
        uid == 0 || uid == geteuid() || configuration.controlUIDs.contains(uid)
    }

    private func read(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, from id: Int, role: Role) async throws {
        var reader = ClientReader(exchange: exchange, id: id, role: role, lineLimit: configuration.requestBytes)
        for try await buffer in inbound {
            guard await reader.feed(buffer.readableBytesView) else { return }
        }
        await reader.finish()
    }

    /// Waits for each batch to reach the kernel, so that all that can pile up is the bounded outbox.
    private func write(to channel: any Channel, for client: Exchange.Client) async throws {
        for await _ in client.wakes {
            wake: while true {
                switch exchange.take(client.id) {
                case .bytes(let bytes): try await send(ByteBuffer(bytes: bytes), to: channel)
                case .wait: break wake
                case .end(let code):
                    if let code, code != .shutdown { logger.notice("client \(client.id) let go: \(code)") }
                    return
                }
            }
        }
    }

    /// A write to a client that has gone fails, and NIO then closes without reading what the client sent before. So
    /// to such a client nothing is written; NIO finds the end by itself once it has read everything.
    private func send(_ buffer: ByteBuffer, to channel: any Channel) async throws {
        try await channel.eventLoop.flatSubmit {
            let hasGone = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable {
                (descriptor: NIOBSDSocket.Handle) in
                var state = pollfd(fd: descriptor, events: 0, revents: 0)
                return poll(&state, 1, 0) == 1 && state.revents & Int16(POLLHUP) != 0
            }
            return hasGone ?? false ? channel.closeFuture : channel.writeAndFlush(buffer)
        }.get()
    }
}

/// The process at the other end, as the kernel knows it. Laid out as `struct ucred`, which Swift does not import.
private struct Peer: Sendable {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0

    /// nil if the kernel does not tell.
    init?(of descriptor: NIOBSDSocket.Handle) {
        var size = socklen_t(MemoryLayout<Peer>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &self, &size) == 0 else { return nil }
    }
}
