import Glibc
import Media

/// A microphone that delivers: an open device, read a period at a time, as Float and stamped. One thread uses it.
final class MicrophoneStream {
    enum Reading {
        /// Nothing has come in yet.
        case nothing
        /// Some frames are in `samples`.
        case period(Period)
        /// We came too late: the device goes on, and the next period says what is missing before it.
        case overrun
        case failed(DeviceTrouble)
    }

    struct Period {
        var frames: Int
        /// Of the first frame, on the monotonic clock, in nanoseconds.
        var time: Int64
        /// Nanoseconds of sound that are missing before it.
        var missing: Int64
    }

    /// Bounds how long a stop takes.
    private static let waitMilliseconds: CInt = 50
    /// Overruns in a row without a frame between them: a dead sound server speaks of them for ever.
    private static let mostOverruns = 5

    let device: ALSADevice
    /// [frames × channels] of the last period.
    private(set) var samples: [Float] = []
    private let bytes: UnsafeMutableRawBufferPointer  // one period, [frames × channels], in the device's format
    private var clock: ClockFilter
    private var overruns = 0
    private var gapFollows = false
    private var paceStart = MonotonicClock.now()
    private var framesRead = 0

    /// Opens, configures and starts.
    init(_ request: MicrophoneRequest) throws(DeviceTrouble) {
        let device = try ALSADevice(request)
        self.device = device
        bytes = .allocate(byteCount: device.periodFrames * device.format.bytesPerFrame, alignment: 16)
        // `file` plugins leave what they have no sound for as it was.
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        samples.reserveCapacity(device.periodFrames * device.format.channels)
        clock = ClockFilter(rateHz: device.format.rateHz)
        let code = device.start()
        if code != 0 { throw device.trouble(code) ?? .failed(errno: -code) }
    }

    deinit {
        device.stop()
        bytes.deallocate()
    }

    var measuredRateHz: Double { clock.measuredRateHz }

    /// Stops and starts again with the device open. 0 or -errno.
    func restart() -> CInt {
        gapFollows = true
        return device.restart()
    }

    /// One wait, of 50 ms at most, and one read.
    func read() -> Reading {
        let ahead = aheadOfClock
        if ahead > 0 {
            usleep(useconds_t(min(ahead / 1_000, Int64(Self.waitMilliseconds) * 1_000)))
            return .nothing
        }
        let ready = device.wait(milliseconds: Self.waitMilliseconds)
        if ready < 0 { return reading(of: ready) }
        if ready == 0 { return .nothing }

        let (available, stamp) = device.position()
        let frames = device.read(into: bytes, frames: device.periodFrames)
        if frames == -Int(EAGAIN) || frames == 0 {
            usleep(1_000)  // ready with nothing to read: some plugins do it, and a realtime thread must not spin on it
            return .nothing
        }
        if frames < 0 { return reading(of: CInt(frames)) }

        overruns = 0
        framesRead += frames
        samples.removeAll(keepingCapacity: true)
        let filled = UnsafeRawBufferPointer(rebasing: bytes[..<(frames * device.format.bytesPerFrame)])
        PCMConversion.append(filled.bytes, as: device.format.sampleFormat, to: &samples)
        let measured = stamp ?? MonotonicClock.now() - duration(max(available, frames))
        let (time, missing) = clock.advance(frames: frames, measured: measured, afterGap: gapFollows)
        gapFollows = false
        return .period(Period(frames: frames, time: time, missing: missing))
    }

    func duration(_ frames: Int) -> Int64 {
        MediaTime(samples: frames, rateHz: device.format.rateHz).nanoseconds
    }

    /// Of an error.
    private func reading(of code: CInt) -> Reading {
        if code == -EINTR || code == -EAGAIN { return .nothing }
        if let trouble = device.trouble(code) { return .failed(trouble) }
        overruns += 1
        guard overruns <= Self.mostOverruns else { return .failed(.unreachable) }
        let restarted = restart()
        if restarted == 0 { return .overrun }
        return .failed(device.trouble(restarted) ?? .failed(errno: -restarted))
    }

    /// By how many nanoseconds a device that has no clock of its own (`file`, `null`) must be slowed down: else it
    /// would fill the ring in no time and the thread would never rest. A real card is never ahead by more than its
    /// buffer.
    private var aheadOfClock: Int64 {
        let now = MonotonicClock.now()
        let ahead = duration(framesRead) - (now - paceStart)
        if ahead < 0 {  // what was missed is not to be caught up with
            paceStart = now
            framesRead = 0
        }
        return ahead - duration(device.bufferFrames)
    }
}
