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
        do { try await serve(socket, on: group) } catch {
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
        let id = exchange.connect(role: role) { [exchange, logger] id in
            ClientWriter(id: id, channel: channel, exchange: exchange, logger: logger)
        }
        logger.debug("client \(id) connected: pid \(peer?.pid ?? 0), \(role)")
        channel.closeFuture.whenComplete { [exchange] _ in exchange.disconnect(id) }
        do {
            try await client.stream.executeThenClose { inbound, _ in
                try? await self.read(inbound, from: id, role: role)
                // The writer closes, when all has been said or the client has gone.
                try await withTaskCancellationHandler {
                    try await channel.closeFuture.get()
                } onCancel: {
                    channel.close(promise: nil)
                }
            }
        } catch {
            logger.debug("client \(id): \(error)")
        }
        exchange.disconnect(id)
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
}
