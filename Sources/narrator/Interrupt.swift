import Foundation
import Synchronization

/// Ctrl-C, or SIGTERM, ends the connection, so that the loop ends in its own time and leaves the terminal clean.
final class Interrupt {
    private struct State {
        var descriptor: CInt?
        var happened = false
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    private let sources: [any DispatchSourceSignal]
    private let shared = Shared()

    init() {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)  // the source sees it all the same
            return DispatchSource.makeSignalSource(signal: number, queue: .global())
        }
        for source in sources {
            source.setEventHandler { [shared] in
                let descriptor = shared.state.withLock { state in
                    state.happened = true
                    return state.descriptor
                }
                if let descriptor { shutdown(descriptor, CInt(SHUT_RDWR)) }
            }
            source.activate()
        }
    }

    /// The connection to end; nil while there is none.
    func shutsDown(_ descriptor: CInt?) {
        let happened = shared.state.withLock { state in
            state.descriptor = descriptor
            return state.happened
        }
        if happened, let descriptor { shutdown(descriptor, CInt(SHUT_RDWR)) }
    }

    var happened: Bool { shared.state.withLock { $0.happened } }

    func end() { for source in sources { source.cancel() } }
}
