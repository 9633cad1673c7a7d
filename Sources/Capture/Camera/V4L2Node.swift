import CShims
import CV4L2
import Glibc
import Media

/// A node of the kernel's video devices, open through libv4l2. One thread uses it.
final class V4L2Node {
    let path: String
    let descriptor: CInt
    let card: String
    let driver: String
    /// Where it is plugged in.
    let bus: String
    private let capabilities: UInt32

    /// - Throws: `absent`, `denied`, `busy`, `failed`; `unsuitable` for what is no video device at all.
    init(_ path: String) throws(DeviceTrouble) {
        silenceV4L2()
        let descriptor = cshim_v4l2_open(path)
        guard descriptor >= 0 else { throw Self.trouble(-descriptor) }
        var capability = v4l2_capability()
        let code = cshim_v4l2_query_capability(descriptor, &capability)
        guard code == 0 else {
            v4l2_close(descriptor)
            throw Self.trouble(-code)
        }
        self.path = path
        self.descriptor = descriptor
        card = text(capability.card)
        driver = text(capability.driver)
        bus = text(capability.bus_info)
        // What this node can do; `capabilities` are those of all nodes of the device.
        let hasOwn = capability.capabilities & UInt32(V4L2_CAP_DEVICE_CAPS) != 0
        capabilities = hasOwn ? capability.device_caps : capability.capabilities
    }

    deinit { v4l2_close(descriptor) }

    /// libv4l2 asks as well what a node is when it opens it.
    private static func trouble(_ errno: CInt) -> DeviceTrouble {
        errno == ENOTTY || errno == EISDIR
            ? .unsuitable(reason: "it is no video device") : DeviceTrouble(opening: errno)
    }

    /// The same camera in the same socket.
    func isSame(as other: V4L2Identity) -> Bool { other == identity }

    var identity: V4L2Identity { V4L2Identity(card: card, bus: bus) }

    /// Why it cannot be a camera; nil if it can.
    var unsuitability: String? {
        func has(_ flag: Int) -> Bool { capabilities & UInt32(truncatingIfNeeded: flag) != 0 }
        if has(Int(V4L2_CAP_VIDEO_M2M)) || has(Int(V4L2_CAP_VIDEO_M2M_MPLANE)) {
            return "it is a converter or codec (\(driver)), not a camera"
        }
        if has(Int(V4L2_CAP_VIDEO_CAPTURE)) {
            return has(Int(V4L2_CAP_STREAMING)) ? nil : "it does not stream (\(driver))"
        }
        if has(Int(V4L2_CAP_META_CAPTURE)) {
            return "it is the metadata node of '\(card)', whose pictures come from another"
        }
        if has(Int(V4L2_CAP_VIDEO_CAPTURE_MPLANE)) {
            return "its driver (\(driver)) is multi-planar, as those behind an image processor are; use a USB camera"
        }
        return "it does not capture pictures (\(driver))"
    }

    /// False once it was unplugged, which other calls report in several ways.
    var isPresent: Bool {
        var capability = v4l2_capability()
        return cshim_v4l2_query_capability(descriptor, &capability) == 0
    }

    /// The nodes that there may be. They are tried rather than listed: a container may have devices and no listing.
    static let paths = (0..<64).map { "/dev/video\($0)" }
}

/// What stays of a camera when its node gets another number.
struct V4L2Identity: Equatable {
    let card: String
    let bus: String
}

private let silenced: Void = cshim_v4l2_silence()

/// libv4l2 would write to stderr what we say better.
func silenceV4L2() { _ = silenced }

/// A C array of characters, which Swift imports as a tuple.
func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

extension V4L2Node {
    /// Where a camera may come back that was at `path`: the numbered nodes, of its own folder too.
    static func neighbours(of path: String) -> [String] {
        let folder = NodeWatch.folder(of: path)
        return paths + (folder == "/dev" ? [] : (0..<8).map { "\(folder)/video\($0)" })
    }
}
