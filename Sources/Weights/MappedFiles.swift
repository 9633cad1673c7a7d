internal import CShims
internal import Glibc
internal import Synchronization

/// The files that are mapped now.
///
/// We never write into a file that is there: a new one takes its place by a rename, and who has the old one mapped keeps
/// it. Others may, and then what is mapped changes under whoever reads it, or is there no longer.
package enum MappedFiles {
    struct Stamp: Equatable {
        let device: UInt
        let inode: UInt
        let bytes: Int
        let modifiedNanoseconds: Int

        init(_ status: stat) {
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
            bytes = Int(status.st_size)
            modifiedNanoseconds = Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec)
        }

        /// Whether `other` is the same file, written to since.
        func isRewritten(in other: Stamp) -> Bool {
            self != other && device == other.device && inode == other.inode
        }
    }

    /// By address.
    private static let live = Mutex<[UInt: (path: String, stamp: Stamp)]>([:])

    static func add(_ address: UInt, _ path: String, _ stamp: Stamp) { live.withLock { $0[address] = (path, stamp) } }

    static func remove(_ address: UInt) { live.withLock { $0[address] = nil } }

    /// Paths of those that somebody wrote to or cut short since they were mapped, in their order.
    package static var rewritten: [String] {
        let files = live.withLock { Array($0.values) }
        let changed = files.filter { file in
            var status = stat()
            return stat(file.path, &status) == 0 && file.stamp.isRewritten(in: Stamp(status))
        }
        return Set(changed.map(\.path)).sorted()
    }

    /// From now on a page that is there no longer ends the process with `status` and a line on stderr that names the
    /// file; the system would end it by a signal that says nothing.
    package static func endProcessOnLostPage(status: CInt) { cshim_end_on_lost_page(status) }
}
