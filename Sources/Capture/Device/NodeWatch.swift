import Glibc

/// Watches the folders in which a device's node appears, without udev.
final class NodeWatch {
    /// What has happened to a node that may be the device's.
    enum Change: Comparable {
        case none
        /// A program has let go of it.
        case released
        /// It is new, or has other permissions.
        case appeared
    }

    /// Readable when something has changed; -1 where the kernel has no watches left: then only the back-off helps.
    let descriptor: CInt
    private let folders: [String: UInt32]  // what is asked of inotify
    private let isRelevant: (String) -> Bool

    // Permissions come after the node: ATTRIB is their sign.
    private static let appearance = UInt32(IN_CREATE | IN_ATTRIB | IN_MOVED_TO)
    private static let release = UInt32(IN_CLOSE_WRITE | IN_CLOSE_NOWRITE)

    private init(folders: [String: UInt32], isRelevant: @escaping (String) -> Bool) {
        descriptor = inotify_init1(CInt(IN_NONBLOCK) | CInt(IN_CLOEXEC))
        self.folders = folders
        self.isRelevant = isRelevant
        refresh()
    }

    /// - Parameter camera: the path of the node, or of a link to it.
    convenience init(camera: String) {
        let name = camera.lastIndex(of: "/").map { String(camera[$0...].dropFirst()) } ?? camera
        var folders: [String: UInt32] = [:]
        for folder in [NodeWatch.folder(of: camera), "/dev", "/dev/v4l/by-id"] { folders[folder] = Self.appearance }
        self.init(folders: folders) { $0.hasPrefix("video") || $0 == name || $0 == "v4l" }
    }

    /// Of all sound cards, as a name of ALSA does not say which node it will be; and of the sound server's socket.
    convenience init(microphonesIn cards: String = "/dev/snd") {
        var folders = [NodeWatch.folder(of: cards): Self.appearance]
        if let runtime = getenv("XDG_RUNTIME_DIR").map({ String(cString: $0) }), !runtime.isEmpty {
            folders[runtime] = Self.appearance
            folders["\(runtime)/pulse"] = Self.appearance
        }
        // Of a card's nodes, the one that captures: those who only ask what there is open others.
        folders[cards] = Self.appearance | Self.release
        self.init(folders: folders) { name in
            name.hasPrefix("pcm") && name.hasSuffix("c") || ["snd", "pulse", "native"].contains(name)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Watches folders that have come since: some go with the last device.
    func refresh() {
        guard descriptor >= 0 else { return }
        for (folder, changes) in folders { _ = inotify_add_watch(descriptor, folder, changes) }
    }

    /// Reads all that has happened, and says the most promising of it.
    func drain() -> Change {
        var change = Change.none
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = retrying { read(descriptor, &buffer, buffer.count) }
            guard count > 0 else { return change }
            var offset = 0
            // struct inotify_event: int wd; uint32_t mask, cookie, len; char name[len]
            while offset + 16 <= count {
                let (mask, length) = buffer.withUnsafeBytes {
                    (
                        $0.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self),
                        Int($0.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                    )
                }
                let name = String(
                    decoding: buffer[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }, as: UTF8.self)
                if isRelevant(name) { change = max(change, mask & Self.appearance != 0 ? .appeared : .released) }
                offset += 16 + length
            }
        }
    }

    static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }
}
