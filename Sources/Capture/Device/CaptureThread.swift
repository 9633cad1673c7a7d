import CShims
import Glibc

/// A pthread of its own for one device: named, without signals, at realtime priority when that is granted.
struct CaptureThread: ~Copyable, Sendable {
    private let thread: pthread_t

    /// - Parameter body: is told its realtime priority; 0: it runs as ordinary programs do.
    /// - Throws: `lost` if no thread can be had.
    init(
        name: String, device: String, body: @escaping @Sendable (_ realtimePriority: Int) -> Void
    ) throws(CaptureError) {
        var thread = pthread_t()
        let code = start(&thread, Work(name: name, body: body))
        guard code == 0 else { throw .lost(device: device, errno: code) }
        self.thread = thread
    }

    private static let patienceMilliseconds: CInt = 1_000

    /// Waits for the body to return: see that it does. One that hangs in a driver is left behind after a second.
    deinit {
        if cshim_thread_join(thread, Self.patienceMilliseconds) != 0 { pthread_detach(thread) }
    }

    /// Leaves it behind without a wait: it hangs.
    consuming func abandon() {
        pthread_detach(thread)
        discard self
    }
}

private final class Work: Sendable {
    /// Above ordinary programs, below the kernel's interrupt threads, which are at 50.
    static let priority: CInt = 20

    let name: String
    let body: @Sendable (Int) -> Void

    init(name: String, body: @escaping @Sendable (Int) -> Void) {
        self.name = name
        self.body = body
    }

    func run() {
        _ = cshim_thread_set_name(name)
        _ = cshim_thread_block_signals()
        // Refused to most users, and then not needed badly.
        body(max(0, Int(cshim_thread_request_realtime(Self.priority))))
    }
}

/// Outside of every type, so that the C closure inherits no isolation.
private func start(_ thread: inout pthread_t, _ work: Work) -> CInt {
    let context = Unmanaged.passRetained(work)
    let code = pthread_create(
        &thread, nil,
        {
            Unmanaged<Work>.fromOpaque($0!).takeRetainedValue().run(); return nil
        },
        context.toOpaque())
    if code != 0 { context.release() }
    return code
}
