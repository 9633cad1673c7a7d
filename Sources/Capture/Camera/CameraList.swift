package import Media

/// A camera as `narrator devices` shows it.
package struct CameraDescription: Sendable, Equatable {
    package enum State: String, Sendable { case free, notPermitted = "not permitted", unusable }

    package struct Size: Sendable, Equatable {
        package var size: PixelSize
        /// Frames a second, the greatest first; empty if the driver does not say.
        package var rates: [Double]
    }

    package struct Format: Sendable, Equatable {
        package var format: PixelFormat
        package var sizes: [Size]
    }

    /// What `device:` takes.
    package var device: String
    /// What the maker calls it.
    package var card: String
    /// Where it is plugged in.
    package var bus: String
    package var state: State
    /// The camera's own formats among those that we read, in order of preference.
    package var formats: [Format] = []
    /// Its other formats, by the four letters of the kernel.
    package var otherFormats: [String] = []
}

extension DeviceList {
    /// The nodes that deliver pictures, by their numbers; those of codecs and metadata are left out. None at all is no
    /// error.
    package static func cameras() -> [CameraDescription] { V4L2Node.paths.compactMap(camera) }

    /// What stands in the way of a camera, now; nil if nothing does.
    package static func obstacle(camera path: String) -> String? {
        do throws(DeviceTrouble) {
            return try V4L2Node(path).unsuitability.map { DeviceTrouble.unsuitable(reason: $0).message(.camera, path) }
        } catch { return error.message(.camera, path) }
    }

    private static func camera(_ path: String) -> CameraDescription? {
        do throws(DeviceTrouble) {
            let node = try V4L2Node(path)
            guard node.unsuitability == nil else { return nil }
            return describe(node)
        } catch {
            switch error {
            case .absent, .unsuitable: return nil
            default:
                return CameraDescription(
                    device: path, card: "", bus: "", state: error == .denied ? .notPermitted : .unusable)
            }
        }
    }

    private static func describe(_ node: V4L2Node) -> CameraDescription {
        let own = node.formats.filter { !$0.isConverted }.map(\.code)
        let formats = PixelFormat.preferred.compactMap { format -> CameraDescription.Format? in
            guard let code = format.fourCCs.first(where: own.contains) else { return nil }
            let sizes = node.sizes(code).map { CameraDescription.Size(size: $0, rates: node.rates(code, $0)) }
            return CameraDescription.Format(
                format: format, sizes: sizes.sorted { $0.size.pixels < $1.size.pixels })
        }
        return CameraDescription(
            device: node.path, card: node.card, bus: node.bus, state: .free, formats: formats,
            otherFormats: own.filter { PixelFormat($0) == nil }.map(\.description))
    }
}
