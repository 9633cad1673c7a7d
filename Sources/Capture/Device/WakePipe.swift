import Glibc

/// Ends a `poll` from another thread.
final class WakePipe: Sendable {
    /// Readable once `wake` was called.
    let descriptor: CInt
    private let writer: CInt

    /// - Throws: `lost` if no descriptors can be had.
    init(device: String) throws(CaptureError) {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .lost(device: device, errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        descriptor = ends[0]
        writer = ends[1]
    }

    deinit {
        close(descriptor)
        close(writer)
    }

    /// For good.
    func wake() {
        var byte: UInt8 = 1
        _ = write(writer, &byte, 1)
    }

    var isWoken: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) > 0
    }
}
