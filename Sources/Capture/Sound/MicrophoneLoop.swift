import Glibc
import Media

/// What the capture thread does: wait, read, stamp, hand on; and get up again after an overrun.
struct MicrophoneLoop: ~Copyable {
    /// Bounds how long a stop takes.
    private static let waitMilliseconds: CInt = 50
    /// A device that delivers nothing for so long is dead, whatever it says.
    private static let patienceNanoseconds: Int64 = 5_000_000_000
    /// Recoveries in a row without a frame between them: a dead sound server speaks of overruns for ever.
    private static let maximumRecoveries = 5

    private let device: ALSADevice
    private let feed: MicrophoneFeed
    private let bytes: UnsafeMutableRawBufferPointer  // one period, [frames × channels], in the device's format
    private var samples: [Float] = []
    private var clock: ClockFilter
    private var recoveries = 0
    private var gapFollows = false
    /// Nanoseconds lost that no mark has told yet.
    private var lost: Int64 = 0
    private var lastData = MonotonicClock.now()
    private var paceStart = MonotonicClock.now()
    private var framesRead = 0

    init(device: ALSADevice, feed: MicrophoneFeed) {
        self.device = device
        self.feed = feed
        bytes = .allocate(byteCount: device.periodFrames * device.format.bytesPerFrame, alignment: 16)
        // `file` plugins leave what they have no sound for as it was.
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        samples.reserveCapacity(device.periodFrames * device.format.channels)
        clock = ClockFilter(rateHz: device.format.rateHz)
    }

    deinit { bytes.deallocate() }

    mutating func run() {
        while !feed.isStopping {
            let failure = step()
            if failure != 0 {
                feed.fail(failure)
                break
            }
        }
        device.stop()
    }

    /// One wait and one read. Returns 0, or the errno that ends it all.
    private mutating func step() -> CInt {
        let ahead = aheadOfClock
        if ahead > 0 {
            usleep(useconds_t(min(ahead / 1_000, Int64(Self.waitMilliseconds) * 1_000)))
            return 0
        }
        let ready = device.wait(milliseconds: Self.waitMilliseconds)
        if ready < 0 { return recover(from: ready) }
        if ready == 0 { return MonotonicClock.now() - lastData > Self.patienceNanoseconds ? ETIMEDOUT : 0 }

        let (available, stamp) = device.position()
        let frames = device.read(into: bytes, frames: device.periodFrames)
        if frames == -Int(EAGAIN) || frames == 0 {
            // Ready with nothing to read: some plugins do it, and a realtime thread must not spin on it.
            usleep(1_000)
            return MonotonicClock.now() - lastData > Self.patienceNanoseconds ? ETIMEDOUT : 0
        }
        if frames < 0 { return recover(from: CInt(frames)) }

        let now = MonotonicClock.now()
        handOn(frames: frames, stamp: stamp ?? now - duration(max(available, frames)))
        recoveries = 0
        lastData = now
        framesRead += frames
        return 0
    }

    private mutating func handOn(frames: Int, stamp: Int64) {
        samples.removeAll(keepingCapacity: true)
        let filled = UnsafeRawBufferPointer(rebasing: bytes[..<(frames * device.format.bytesPerFrame)])
        PCMConversion.append(filled.bytes, as: device.format.sampleFormat, to: &samples)

        let (time, missing) = clock.advance(frames: frames, measured: stamp, afterGap: gapFollows)
        gapFollows = false
        lost += missing
        if feed.put(samples.span, time: time, lost: lost, rateHz: clock.measuredRateHz) {
            lost = 0
        } else {
            lost += duration(frames)
        }
    }

    /// After an overrun, a suspend or anything like them.
    private mutating func recover(from code: CInt) -> CInt {
        if code == -EINTR || code == -EAGAIN { return 0 }
        if device.isUnplugged { return ENODEV }
        guard code == -EPIPE || code == -ESTRPIPE, recoveries < Self.maximumRecoveries else { return -code }
        recoveries += 1
        feed.countOverrun()
        gapFollows = true
        let recovered = device.recover(from: code)
        return recovered < 0 ? -recovered : 0
    }

    /// By how many nanoseconds a device that has no clock of its own (`file`, `null`) must be slowed down: else it
    /// would fill the ring in no time and the thread would never rest. A real card is never ahead by more than its
    /// buffer.
    private var aheadOfClock: Int64 {
        mutating get {
            let now = MonotonicClock.now()
            let ahead = duration(framesRead) - (now - paceStart)
            if ahead < 0 {  // what was missed is not to be caught up with
                paceStart = now
                framesRead = 0
            }
            return ahead - duration(device.bufferFrames)
        }
    }

    private func duration(_ frames: Int) -> Int64 {
        MediaTime(samples: frames, rateHz: device.format.rateHz).nanoseconds
    }
}
