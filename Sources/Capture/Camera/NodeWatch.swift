import Glibc

/// Watches the folders in which a camera's node appears, without udev.
final class NodeWatch {
    /// Readable when something has changed; -1 where the kernel has no watches left: then only the back-off helps.
    let descriptor: CInt
    private let folders: [String]
    private let names: Set<String>

    /// - Parameter device: the path of the node, or of a link to it.
    init(device: String) {
        descriptor = inotify_init1(CInt(IN_NONBLOCK) | CInt(IN_CLOEXEC))
        let name = device.lastIndex(of: "/").map { String(device[$0...].dropFirst()) } ?? device
        folders = Array(Set([NodeWatch.folder(of: device), "/dev", "/dev/v4l/by-id"]))
        names = [name, "v4l"]
        refresh()
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Watches folders that have come since: the one with the links goes with the last camera.
    func refresh() {
        guard descriptor >= 0 else { return }
        // Permissions come after the node: ATTRIB is their sign.
        let changes = UInt32(IN_CREATE | IN_ATTRIB | IN_MOVED_TO)
        for folder in folders { _ = inotify_add_watch(descriptor, folder, changes) }
    }

    /// Reads all that has happened. True if a camera may have appeared.
    func drain() -> Bool {
        var isRelevant = false
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = retrying { read(descriptor, &buffer, buffer.count) }
            guard count > 0 else { return isRelevant }
            var offset = 0
            // struct inotify_event: int wd; uint32_t mask, cookie, len; char name[len]
            while offset + 16 <= count {
                let length = buffer.withUnsafeBytes {
                    Int($0.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                }
                let name = String(
                    decoding: buffer[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }, as: UTF8.self)
                if name.hasPrefix("video") || names.contains(name) { isRelevant = true }
                offset += 16 + length
            }
        }
    }

    static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }
}
