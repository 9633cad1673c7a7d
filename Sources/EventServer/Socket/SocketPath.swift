import Glibc

/// Where the socket is; daemon and clients find it by the same rules.
package enum SocketPath {
    /// `--socket`, else `$NARRATOR_SOCKET`, `$RUNTIME_DIRECTORY`, `$XDG_RUNTIME_DIR`, else a folder of ours in `/tmp`.
    /// An empty variable counts as none.
    package static func resolve(
        option: String?, environment: [String: String], uid: UInt32 = getuid()
    ) -> String {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let path = option ?? variable("NARRATOR_SOCKET") { return path }
        // systemd lists all runtime directories of a unit, ours first.
        if let folder = variable("RUNTIME_DIRECTORY")?.split(separator: ":").first { return "\(folder)/\(name)" }
        if let folder = variable("XDG_RUNTIME_DIR") { return "\(folder)/narrator/\(name)" }
        return "/tmp/narrator-\(uid)/\(name)"
    }

    /// The paths a client tries, in order: where our own daemon would be, then, if nobody named a path, the system's.
    package static func candidates(
        option: String?, environment: [String: String], uid: UInt32 = getuid()
    ) -> [String] {
        let path = resolve(option: option, environment: environment, uid: uid)
        let isNamed = option != nil || environment["NARRATOR_SOCKET"].map { !$0.isEmpty } ?? false
        return isNamed || path == system ? [path] : [path, system]
    }

    private static let name = "narrator.sock"
    private static let system = "/run/narrator/\(name)"
}

extension sockaddr_un {
    /// Bytes of the longest path; one more is for its end.
    static let pathLimitBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1  // 108 − 1

    /// nil if `path` is too long.
    init?(path: String) {
        guard path.utf8.count <= Self.pathLimitBytes else { return nil }
        self.init()
        sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &sun_path) { $0.copyBytes(from: path.utf8) }
    }

    /// Calls `connect` or `bind` with this address: 0, or -1 and errno.
    func apply(
        _ call: (CInt, UnsafePointer<sockaddr>, socklen_t) -> CInt, to descriptor: CInt
    ) -> CInt {
        var address = self
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
