import CShims

/// The process at the other end of a connected Unix socket, as the kernel knows it.
struct Peer: Sendable {
    private(set) var uid: UInt32 = 0
    private(set) var pid: Int32 = 0

    /// nil if the kernel does not tell.
    init?(of descriptor: CInt) {
        var gid: UInt32 = 0
        guard cshim_peer_credentials(descriptor, &uid, &gid, &pid) == 0 else { return nil }
    }
}
