import CShims
import CV4L2
import Glibc
import Media

/// A camera that streams: a node with its format set and its buffers mapped. One thread uses it.
final class V4L2Stream {
    /// A filled buffer, lent until it is queued again.
    struct Filled {
        let index: Int
        let bytes: UnsafeRawBufferPointer
        /// On the monotonic clock, in nanoseconds; nil if the driver stamps by another.
        let stamp: Int64?
        let sequence: UInt32
        let isFlagged: Bool
    }

    /// Enough for a reader that is held up for three frames; more only makes them older.
    private static let bufferCount: UInt32 = 4

    let node: V4L2Node
    let format: CameraFormat
    private var buffers: [UnsafeMutableRawBufferPointer] = []

    /// Opens, configures and starts.
    /// - Parameter path: the node; `request` may name another.
    init(_ path: String, _ request: CameraRequest) throws(DeviceTrouble) {
        node = try V4L2Node(path)
        if let reason = node.unsuitability { throw .unsuitable(reason: reason) }
        format = try node.negotiate(request)
        try mapBuffers()
        let code = start()
        if code != 0 { throw DeviceTrouble(opening: -code) }
    }

    deinit {
        _ = cshim_v4l2_stream(node.descriptor, 0)
        for buffer in buffers { v4l2_munmap(buffer.baseAddress, buffer.count) }
    }

    private func mapBuffers() throws(DeviceTrouble) {
        var request = v4l2_requestbuffers()
        request.count = Self.bufferCount
        request.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        request.memory = V4L2_MEMORY_MMAP.rawValue
        let code = cshim_v4l2_request_buffers(node.descriptor, &request)
        guard code == 0 else { throw DeviceTrouble(opening: -code) }
        guard request.count > 0 else { throw .failed(errno: ENOMEM) }
        for index in 0..<request.count {
            var buffer = Self.buffer(Int(index))
            let code = cshim_v4l2_query_buffer(node.descriptor, &buffer)
            guard code == 0 else { throw DeviceTrouble(opening: -code) }
            let length = Int(buffer.length)
            let memory = v4l2_mmap(
                nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, node.descriptor, Int64(buffer.m.offset))
            guard let memory, memory != MAP_FAILED else { throw .failed(errno: errno) }
            buffers.append(UnsafeMutableRawBufferPointer(start: memory, count: length))
        }
    }

    /// Lends all buffers to the driver and starts. 0 or -errno, as everything below.
    private func start() -> CInt {
        for index in buffers.indices {
            let code = queue(index)
            if code != 0 { return code }
        }
        return cshim_v4l2_stream(node.descriptor, 1)
    }

    /// Stops, which takes all buffers back from the driver, and starts again.
    func restart() -> CInt {
        let code = cshim_v4l2_stream(node.descriptor, 0)
        return code == 0 ? start() : code
    }

    /// Lends a buffer to the driver.
    func queue(_ index: Int) -> CInt {
        var buffer = Self.buffer(index)
        return cshim_v4l2_queue(node.descriptor, &buffer)
    }

    /// The next filled buffer. `.failure` holds errno; EAGAIN: there is none.
    func dequeue() -> Result<Filled, Errno> {
        var buffer = Self.buffer(0)
        let code = cshim_v4l2_dequeue(node.descriptor, &buffer)
        guard code == 0 else { return .failure(Errno(code: -code)) }
        guard buffers.indices.contains(Int(buffer.index)) else { return .failure(Errno(code: EINVAL)) }
        let isMonotonic =
            buffer.flags & UInt32(V4L2_BUF_FLAG_TIMESTAMP_MASK) == UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
        let stamp = Int64(buffer.timestamp.tv_sec) * 1_000_000_000 + Int64(buffer.timestamp.tv_usec) * 1_000
        let memory = buffers[Int(buffer.index)]
        return .success(
            Filled(
                index: Int(buffer.index),
                bytes: UnsafeRawBufferPointer(rebasing: memory[..<min(Int(buffer.bytesused), memory.count)]),
                stamp: isMonotonic && stamp > 0 ? stamp : nil, sequence: buffer.sequence,
                isFlagged: buffer.flags & UInt32(V4L2_BUF_FLAG_ERROR) != 0))
    }

    private static func buffer(_ index: Int) -> v4l2_buffer {
        var buffer = v4l2_buffer()
        buffer.index = UInt32(index)
        buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        buffer.memory = V4L2_MEMORY_MMAP.rawValue
        return buffer
    }
}

/// An errno that travels as an error.
struct Errno: Error {
    let code: CInt
}

extension V4L2Node {
    /// Sets format, size and rate, and reads back what came of them.
    fileprivate func negotiate(_ request: CameraRequest) throws(DeviceTrouble) -> CameraFormat {
        let choice = try choose(request.format)
        let wanted =
            request.size
            ?? (choice.format == .mjpeg ? PixelSize(width: 1_280, height: 720) : PixelSize(width: 640, height: 480))
        var setting = v4l2_format()
        setting.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        setting.fmt.pix.width = UInt32(wanted.width)
        setting.fmt.pix.height = UInt32(wanted.height)
        setting.fmt.pix.pixelformat = choice.code.code
        setting.fmt.pix.field = V4L2_FIELD_ANY.rawValue
        let code = cshim_v4l2_set_format(descriptor, &setting)
        guard code == 0 else { throw DeviceTrouble(opening: -code) }
        let given = setting.fmt.pix
        guard let format = PixelFormat(FourCC(code: given.pixelformat)) else {
            throw .unsuitable(reason: "asked for \(choice.code), it gives \(FourCC(code: given.pixelformat))")
        }
        if let asked = request.format, asked != format {
            throw .unsuitable(reason: "asked for \(asked.rawValue), it gives \(format.rawValue)")
        }
        guard PictureLimits.sides.contains(Int(given.width)), PictureLimits.sides.contains(Int(given.height)) else {
            throw .unsuitable(reason: "it claims pictures of \(given.width)x\(given.height)")
        }
        return CameraFormat(
            asked: request, device: path, card: card, bus: bus, format: format, isConverted: choice.isConverted,
            size: PixelSize(width: Int(given.width), height: Int(given.height)),
            bytesPerRow: format.bytesPerRow(width: Int(given.width), driver: Int(given.bytesperline)),
            framesPerSecond: setRate(request.framesPerSecond))
    }

    /// The camera's own formats first: what libv4l2 converts it converts on our thread.
    private func choose(
        _ wanted: PixelFormat?
    ) throws(DeviceTrouble) -> (format: PixelFormat, code: FourCC, isConverted: Bool) {
        let offered = formats
        for isConverted in [false, true] {
            for format in wanted.map({ [$0] }) ?? PixelFormat.preferred {
                for code in format.fourCCs
                where offered.contains(where: { $0.code == code && $0.isConverted == isConverted }) {
                    return (format, code, isConverted)
                }
            }
        }
        let names = offered.filter { !$0.isConverted }.map { "\($0.code)" }.joined(separator: ", ")
        throw .unsuitable(
            reason: "it has no format that we read\(wanted.map { " as \($0.rawValue)" } ?? ""), only: \(names)")
    }

    /// - Returns: the rate that the driver has set, in frames a second; nil if it does not say.
    private func setRate(_ wanted: Double?) -> Double? {
        var parameters = v4l2_streamparm()
        parameters.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        if let wanted {
            parameters.parm.capture.timeperframe = v4l2_fract(rate: wanted)
            _ = cshim_v4l2_set_rate(descriptor, &parameters)  // a wish: some drivers have but one rate
            parameters = v4l2_streamparm()
            parameters.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        }
        guard cshim_v4l2_get_rate(descriptor, &parameters) == 0,
            let rate = parameters.parm.capture.timeperframe.rate, PictureLimits.framesPerSecond.contains(rate)
        else { return nil }
        return rate
    }
}

extension PixelFormat {
    /// Of a row (of the Y plane): the driver's word, unless that is less than the width needs.
    fileprivate func bytesPerRow(width: Int, driver: Int) -> Int {
        switch self {
        case .mjpeg: 0
        case .yuyv: max(driver, (width + 1) / 2 * 4)
        case .nv12, .grey: max(driver, width)
        case .rgb24: max(driver, width * 3)
        }
    }
}
