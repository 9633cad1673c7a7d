import CShims
import CV4L2
import Media

/// A pixel format by the four letters of the kernel.
struct FourCC: Hashable, CustomStringConvertible {
    let code: UInt32

    init(code: UInt32) { self.code = code }

    init(_ letters: StaticString) {
        precondition(letters.utf8CodeUnitCount == 4, "\(letters)")
        code = letters.withUTF8Buffer { $0.reversed().reduce(0) { $0 << 8 | UInt32($1) } }
    }

    var description: String {
        let letters = (0..<4).map { UInt8(truncatingIfNeeded: code >> ($0 * 8)) & 0x7f }
        return String(decoding: letters.map { $0 < 0x20 ? 0x3f : $0 }, as: UTF8.self)
            .reversed().drop { $0 == " " }.reversed().map(String.init).joined()
    }
}

extension PixelFormat {
    /// What the kernel calls it; cameras announce JPEG pictures under two names.
    var fourCCs: [FourCC] {
        switch self {
        case .mjpeg: [FourCC("MJPG"), FourCC("JPEG")]
        case .yuyv: [FourCC("YUYV")]
        case .nv12: [FourCC("NV12")]
        case .grey: [FourCC("GREY")]
        case .rgb24: [FourCC("RGB3")]
        }
    }

    init?(_ code: FourCC) {
        guard let format = PixelFormat.allCases.first(where: { $0.fourCCs.contains(code) }) else { return nil }
        self = format
    }
}

/// A format as a node announces it.
struct V4L2Format {
    let code: FourCC
    /// libv4l2 makes it of another.
    let isConverted: Bool
}

extension V4L2Node {
    /// A driver that never says "no more" must not hold us up.
    private static let mostEntries: UInt32 = 256

    var formats: [V4L2Format] {
        var found: [V4L2Format] = []
        for index in 0..<Self.mostEntries {
            var description = v4l2_fmtdesc()
            description.index = index
            description.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
            guard cshim_v4l2_enumerate_format(descriptor, &description) == 0 else { break }
            let isConverted = description.flags & UInt32(V4L2_FMT_FLAG_EMULATED) != 0
            found.append(V4L2Format(code: FourCC(code: description.pixelformat), isConverted: isConverted))
        }
        return found
    }

    /// Of a format; where any size within bounds goes, the usual ones.
    func sizes(_ code: FourCC) -> [PixelSize] {
        var found: [PixelSize] = []
        for index in 0..<Self.mostEntries {
            var entry = v4l2_frmsizeenum()
            entry.index = index
            entry.pixel_format = code.code
            guard cshim_v4l2_enumerate_size(descriptor, &entry) == 0 else { break }
            if entry.type == V4L2_FRMSIZE_TYPE_DISCRETE.rawValue {
                found.append(PixelSize(width: Int(entry.discrete.width), height: Int(entry.discrete.height)))
            } else {
                let range = entry.stepwise
                return Self.usualSizes.filter {
                    (Int(range.min_width)...max(Int(range.min_width), Int(range.max_width))).contains($0.width)
                        && (Int(range.min_height)...max(Int(range.min_height), Int(range.max_height))).contains(
                            $0.height)
                }
            }
        }
        return found
    }

    private static let usualSizes = [(320, 240), (640, 480), (1_280, 720), (1_920, 1_080), (3_840, 2_160)].map {
        PixelSize(width: $0.0, height: $0.1)
    }

    /// Frames a second, the greatest first; where any rate within bounds goes, the two bounds.
    func rates(_ code: FourCC, _ size: PixelSize) -> [Double] {
        var found: Set<Double> = []
        for index in 0..<Self.mostEntries {
            var entry = v4l2_frmivalenum()
            entry.index = index
            entry.pixel_format = code.code
            entry.width = UInt32(size.width)
            entry.height = UInt32(size.height)
            guard cshim_v4l2_enumerate_interval(descriptor, &entry) == 0 else { break }
            if entry.type == V4L2_FRMIVAL_TYPE_DISCRETE.rawValue {
                if let rate = entry.discrete.rate { found.insert(rate) }
            } else {
                found.formUnion([entry.stepwise.min.rate, entry.stepwise.max.rate].compactMap { $0 })
                break
            }
        }
        return found.sorted(by: >)
    }
}

extension v4l2_fract {
    /// Of an interval, in frames a second, to the hundredth; nil for nonsense.
    var rate: Double? {
        numerator > 0 && denominator > 0 ? (Double(denominator) / Double(numerator) * 100).rounded() / 100 : nil
    }

    /// The interval of a rate.
    init(rate: Double) {
        let isWhole = rate == rate.rounded()
        self.init(
            numerator: isWhole ? 1 : 1_000, denominator: UInt32((isWhole ? rate : rate * 1_000).rounded()))
    }
}
