@testable import Capture
import Media
import TestSupport
import Testing

/// A JPEG as far as the capture thread looks: its ends, and no EOI between them.
private func jpeg(_ length: Int = 600) -> [UInt8] {
    [0xff, 0xd8, 0xff, 0xdb] + [UInt8](repeating: 0x42, count: length - 6) + [0xff, 0xd9]
}

struct FrameCheckTests {
    private func verdict(_ bytes: [UInt8]) -> FrameVerdict { FrameCheck.jpeg(bytes.span.bytes) }

    @Test func `a whole picture is whole`() { #expect(verdict(jpeg()) == .whole(0..<600)) }

    @Test(arguments: [1, 2, 7, 4_096]) func `padding behind it is cut off`(padding: Int) {
        #expect(verdict(jpeg() + [UInt8](repeating: 0, count: padding)) == .whole(0..<600))
        #expect(verdict(jpeg() + [UInt8](repeating: 0xff, count: padding)) == .whole(0..<600))
    }

    @Test(arguments: [1, 24, 400]) func `what a camera puts before it is cut off`(junk: Int) {
        #expect(verdict([UInt8](repeating: 0x55, count: junk) + jpeg()) == .whole(junk..<(junk + 600)))
    }

    @Test func `nothing is empty`() {
        #expect(verdict([]) == .empty)
        #expect(FrameCheck.raw([UInt8]().span.bytes, frameBytes: 8) == .empty)
    }

    @Test(arguments: [1, 2, 3, 99, 300, 598, 599]) func `a cut picture is damaged`(length: Int) {
        #expect(verdict(Array(jpeg().prefix(length))) == .damaged)
    }

    @Test func `what is no picture is damaged`() {
        #expect(verdict([UInt8](repeating: 0, count: 10_000)) == .damaged)
        #expect(verdict(Array(jpeg().dropFirst(2))) == .damaged)
        #expect(verdict([0xff, 0xd8, 0xff, 0xd9]) == .damaged)
        #expect(verdict([UInt8](repeating: 0x55, count: 600) + jpeg()) == .damaged)
    }

    @Test func `any bytes have a verdict`() {
        var random = SplitMix64(seed: 7)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0..<300, using: &random)).map { _ in
                [0xff, 0xd8, 0xd9, 0].randomElement(using: &random)! as UInt8
            }
            if case .whole(let range) = verdict(bytes) {
                #expect(range.upperBound <= bytes.count && range.count >= 100)
            }
        }
    }

    @Test func `a raw picture is as long as its format, and may be padded`() {
        let bytes = [UInt8](repeating: 1, count: 100)
        #expect(FrameCheck.raw(bytes.span.bytes, frameBytes: 100) == .whole(0..<100))
        #expect(FrameCheck.raw(bytes.span.bytes, frameBytes: 80) == .whole(0..<80))
        #expect(FrameCheck.raw(bytes.span.bytes, frameBytes: 101) == .damaged)
    }
}

struct FrameClockTests {
    /// The stream times of frames, of their drivers' stamps and when they were dequeued, 33 ns apart.
    private func times(_ frames: [(stamp: Int64?, now: Int64)], streamZero: Int64 = 0) -> [Int64] {
        var clock = FrameClock(streamZero: streamZero)
        return frames.map { clock.time(stamp: $0.stamp, now: $0.now, interval: 33).nanoseconds }
    }

    @Test func `a driver's stamp is the time`() { #expect(times([(5_000, 6_000)], streamZero: 1_000) == [4_000]) }

    @Test func `a stamp in the future is held to one frame from now`() {
        #expect(times([(130, 100), (1_000_000, 200), (.max / 2, 300)]) == [130, 233, 333])
    }

    @Test func `stream time never goes back nor below zero`() {
        #expect(times([(500, 1_010)], streamZero: 1_000) == [0])
        var random = SplitMix64(seed: 3)
        let frames = stride(from: Int64(2_000), to: 1_000_000, by: 100).map { now in
            (Bool.random(using: &random) ? Int64.random(in: -1_000_000...2_000_000, using: &random) : nil, now)
        }
        let times = times(frames, streamZero: 1_000)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        #expect(zip(times, frames).allSatisfy { $0 <= $1.1 + 33 - 1_000 })
    }

    @Test func `a stamp that says nothing is replaced by now`() {
        #expect(times([(1, 60_000_000_000), (nil, 61_000_000_000)]) == [60_000_000_000, 61_000_000_000])
    }
}

struct SequenceCounterTests {
    private func missing(_ numbers: [UInt32]) -> [Int] {
        var counter = SequenceCounter()
        return numbers.map { counter.advance(to: $0) }
    }

    @Test func `gaps are counted`() { #expect(missing([5, 6, 9, 10, 12]) == [0, 0, 2, 0, 1]) }
    @Test func `numbers wrap`() { #expect(missing([.max - 1, .max, 0, 2]) == [0, 0, 0, 1]) }
    @Test func `a driver that begins anew has lost nothing`() { #expect(missing([500, 0, 1]) == [0, 0, 0]) }
    @Test func `a driver that does not count has lost nothing`() { #expect(missing([0, 0, 0]) == [0, 0, 0]) }

    @Test func `after a restart any number is the first`() {
        var counter = SequenceCounter()
        _ = counter.advance(to: 5)
        counter.restart()
        let missing = counter.advance(to: 9)
        #expect(missing == 0)
    }
}

struct FrameThinnerTests {
    @Test(arguments: [(30.0, 5.0), (30.0, 10.0), (30.0, 20.0), (25.0, 10.0), (60.0, 1.0), (15.0, 12.0)])
    func `the rate asked for is kept on average, with jitter`(given: Double, asked: Double) {
        var thinner = FrameThinner(asked: asked, given: given)
        var random = SplitMix64(seed: 11)
        let seconds = 60.0
        let taken = (0..<Int(given * seconds)).filter { index in
            let jitter = Double.random(in: -0.2...0.2, using: &random)
            return thinner.takes(Int64((Double(index) + jitter) / given * 1e9))
        }.count
        #expect(abs(Double(taken) - asked * seconds) <= asked * seconds * 0.02 + 1)
    }

    @Test func `what was missed is not caught up with`() {
        var thinner = FrameThinner(asked: 5, given: 30)
        let taken = [0, 2_000_000_000, 2_033_000_000].map { thinner.takes($0) }
        #expect(taken == [true, true, false])
    }

    @Test func `a clock that goes back does not stop it`() {
        var thinner = FrameThinner(asked: 5, given: 30)
        let taken = [100_000_000_000, 1_000_000_000].map { thinner.takes($0) }
        #expect(taken == [true, true])
    }
}

struct CameraFormatTests {
    private func format(_ asked: CameraRequest) -> CameraFormat {
        CameraFormat(
            asked: asked, device: "/dev/video0", card: "Webcam", bus: "usb-1", format: .mjpeg, isConverted: false,
            size: PixelSize(width: 640, height: 480), bytesPerRow: 0, framesPerSecond: 30)
    }

    @Test func `what was given is told, and what was asked where it differs`() {
        #expect(
            format(CameraRequest()).description
                == "/dev/video0 (Webcam) gives mjpeg 640x480 at 30 frames/s, as asked")
        let asked = CameraRequest(
            device: "/dev/video2", size: PixelSize(width: 1_280, height: 720), framesPerSecond: 7.5)
        #expect(
            format(asked).description
                == "/dev/video0 (Webcam) gives mjpeg 640x480 at 30 frames/s; asked for: /dev/video2, 1280x720, "
                + "7.5 frames/s, to which it is thinned")
    }

    @Test func `the bytes of a raw frame follow its rows`() {
        var raw = format(CameraRequest())
        raw.size = PixelSize(width: 33, height: 5)
        raw.bytesPerRow = 40
        raw.format = .nv12
        #expect(raw.frameBytes == 40 * 8)
        raw.format = .grey
        #expect(raw.frameBytes == 40 * 5)
    }
}
