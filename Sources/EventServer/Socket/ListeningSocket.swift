import Glibc

/// A Unix socket that listens at a path. Its file is ours until `close`.
struct ListeningSocket {
    let descriptor: CInt
    private let path: String
    /// Tells our file from one that somebody put in its place.
    private let inode: ino_t

    /// Makes the folder where there is none, takes the place of a dead daemon's socket, and listens.
    init(path: String) throws(EventServerError) {
        guard let address = sockaddr_un(path: path) else {
            throw .pathTooLong(path: path, limitBytes: sockaddr_un.pathLimitBytes)
        }
        let folder = Self.folder(of: path)
        try Self.makeFolder(folder)
        // Two daemons that start together must not both find the place free.
        let lock = Self.lock(folder)
        defer { if lock >= 0 { Glibc.close(lock) } }
        try Self.clear(path, address)

        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", path: path, errno: errno) }
        var made = stat()
        let steps: [(call: String, run: () -> CInt)] = [
            // The mode of the descriptor is the one the file is born with, so it is never wider; umask narrows it.
            ("fchmod", { fchmod(descriptor, 0o660) }),
            ("bind", { address.apply(bind, to: descriptor) }),
            ("chmod", { chmod(path, 0o660) }),
            ("stat", { stat(path, &made) }),
            ("listen", { listen(descriptor, 128) })
        ]
        for step in steps where step.run() != 0 {
            let error = EventServerError.system(call: step.call, path: path, errno: errno)
            Glibc.close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.path = path
        inode = made.st_ino
    }

    /// Removes the file, if it is still ours.
    func unlink() {
        var found = stat()
        if stat(path, &found) == 0, found.st_ino == inode { Glibc.unlink(path) }
    }

    func close() { Glibc.close(descriptor) }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Only folders that we make get a mode.
    private static func makeFolder(_ folder: String) throws(EventServerError) {
        var found = stat()
        if stat(folder, &found) == 0 {
            // `/tmp` is everybody's: our folder there may have been made by somebody else to lead us on.
            if folder == "/tmp/narrator-\(getuid())", found.st_uid != getuid() { throw .foreignFolder(path: folder) }
            return
        }
        let parent = Self.folder(of: folder)
        if parent != folder { try makeFolder(parent) }
        guard mkdir(folder, 0o750) == 0 || errno == EEXIST else {
            throw .system(call: "mkdir", path: folder, errno: errno)
        }
        chmod(folder, 0o750)  // whatever the umask took away
    }

    /// Waits up to a second for the folder's lock; without it we go on, for a stranger may hold it.
    private static func lock(_ folder: String) -> CInt {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return descriptor }
        for _ in 0..<50 where flock(descriptor, LOCK_EX | LOCK_NB) != 0 { usleep(20_000) }
        return descriptor
    }

    /// Removes a socket that nobody listens on.
    private static func clear(_ path: String, _ address: sockaddr_un) throws(EventServerError) {
        var found = stat()
        guard lstat(path, &found) == 0 else { return }
        guard found.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        let probe = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { throw .system(call: "socket", path: path, errno: errno) }
        defer { Glibc.close(probe) }
        if address.apply(connect, to: probe) == 0 { throw .inUse(path: path) }
        switch errno {
        case ECONNREFUSED: break
        case ENOENT: return
        case EAGAIN: throw .inUse(path: path)  // its queue of clients is full: it lives
        default: throw .system(call: "connect", path: path, errno: errno)
        }
        guard Glibc.unlink(path) == 0 || errno == ENOENT else {
            throw .system(call: "unlink", path: path, errno: errno)
        }
    }
}
