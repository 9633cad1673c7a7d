import CShims
import Glibc
import Media

/// The sizes at which libjpeg decodes with less work.
enum JPEGScale: Int, CaseIterable {
    case full = 1
    case half = 2
    case quarter = 4
    case eighth = 8

    var next: JPEGScale? { JPEGScale(rawValue: 2 * rawValue) }

    func size(of stored: PixelSize) -> PixelSize {
        PixelSize(
            width: (stored.width + rawValue - 1) / rawValue, height: (stored.height + rawValue - 1) / rawValue)
    }
}

extension PictureDecoder {
    /// The picture as stored, and what was wrong with it. Every bound is checked before memory is taken.
    func decode(
        _ bytes: [UInt8], _ header: JPEGHeader, as channels: PictureChannels, _ scale: JPEGScale
    ) throws(SignalError) -> (picture: Picture, damage: String?) {
        let stored = header.storedSize
        let size = scale.size(of: stored)
        if stored.pixels > maximumClaimedPixels || size.pixels > maximumPixels {
            throw .pictureTooLarge(stored, reason: "at most \(maximumClaimedPixels >> 20) megapixels are read")
        }
        if header.keepsCoefficients && header.blocks * 128 > maximumCoefficientBytes {
            throw .pictureTooLarge(stored, reason: "it comes in several scans, which must be kept in memory")
        }
        var request = cshim_jpeg_request(
            scale: Int32(scale.rawValue), channels: Int32(channels.rawValue), scan_limit: Int32(maximumScans),
            memory_limit: Int64(maximumCoefficientBytes + maximumCoefficientBytes / 4))  // and rows beside them
        var report = cshim_jpeg_report()
        var status: CInt = 0
        let pixels = [UInt8](unsafeUninitializedCapacity: size.pixels * channels.rawValue) { pixels, count in
            status = bytes.withUnsafeBufferPointer { bytes in
                cshim_jpeg_decode(
                    bytes.baseAddress! + header.start, bytes.count - header.start, &request, pixels.baseAddress!,
                    size.pixels * channels.rawValue, &report)
            }
            count = status == 0 ? size.pixels * channels.rawValue : 0
        }
        switch status {
        case 0: break
        case -EINVAL: preconditionFailure("libjpeg scales \(stored) by 1/\(scale.rawValue) to other than \(size)")
        case -ENOMEM, -E2BIG: throw .pictureTooLarge(stored, reason: report.text)
        default: throw .badPicture(reason: report.text)
        }
        let picture = Picture(width: size.width, height: size.height, channels: channels.rawValue, pixels: pixels)
        return (picture, report.damages > 0 ? report.text : nil)
    }
}
