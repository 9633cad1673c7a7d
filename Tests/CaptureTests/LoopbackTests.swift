import Capture
import Foundation
import Media
import Testing

/// What a kernel sound card delivers, in the device lab: `Tests/DeviceLab/alsa-loopback.sh` plays a recording over and
/// over into snd-aloop and runs this suite on the other end.
private struct Lab {
    /// The capturing end.
    var device: String
    /// The recording that is played: a WAV, without a stretch of 100 ms that occurs twice.
    var reference: String

    static let current: Lab? = {
        let environment = ProcessInfo.processInfo.environment
        guard let device = environment["NARRATOR_LAB_ALSA"], let reference = environment["NARRATOR_LAB_REFERENCE"]
        else { return nil }
        return Lab(device: device, reference: reference)
    }()
}

@Suite(.enabled(if: Lab.current != nil, "waits for the device lab"), .serialized)
struct LoopbackTests {
    private let lab: Lab
    private let reference: [Float]
    private let rateHz: Int
    private let channels: Int

    init() throws {
        lab = try #require(Lab.current)
        var file = try AudioFile(path: lab.reference)
        rateHz = file.rateHz
        channels = file.channels
        reference = try file.readAll()
    }

    /// Pulls for `seconds` of stream time.
    private func capture(_ microphone: inout Microphone, seconds: Double) throws -> [AudioBlock] {
        var blocks: [AudioBlock] = []
        let limit = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < limit {
            if let first = blocks.first, let last = blocks.last, (last.end - first.time).seconds >= seconds { break }
            if case .block(let block, _) = try microphone.next() { blocks.append(block) } else { usleep(10_000) }
        }
        return blocks
    }

    /// Where in the recording `samples` were played, in frames; nil if nowhere exactly.
    private func place(of samples: [Float]) -> Int? {
        let frames = reference.count / channels
        let probe = min(samples.count, rateHz / 10 * channels)
        func matches(at frame: Int, count: Int) -> Bool {
            var index = frame * channels
            for sample in samples.prefix(count) {
                if reference[index] != sample { return false }
                index = index + 1 == reference.count ? 0 : index + 1
            }
            return true
        }
        guard let start = (0..<frames).first(where: { matches(at: $0, count: probe) }) else { return nil }
        return matches(at: start, count: samples.count) ? start : nil
    }

    @Test func `what is played is captured sample for sample`() throws {
        var microphone = try Microphone(MicrophoneRequest(device: lab.device), streamZero: MonotonicClock.now())
        #expect(microphone.format.rateHz == rateHz && microphone.format.channels == channels)
        let blocks = try capture(&microphone, seconds: 3)
        let samples = blocks.flatMap(\.samples)
        #expect(samples.count >= 3 * rateHz * channels * 99 / 100)
        #expect(samples.contains { $0 != 0 })
        #expect(place(of: samples) != nil, "the captured stretch is not in the recording")
        #expect(microphone.statistics.deviceOverruns == 0 && microphone.statistics.framesDropped == 0)
        #expect(blocks.allSatisfy { $0.lostBefore == .zero })
        #expect(zip(blocks, blocks.dropFirst()).allSatisfy { abs(($1.time - $0.end).seconds) < 0.005 })
        // Captured now, not some time ago: stream time is that of the clock but for what is still in buffers.
        #expect(try #require(blocks.first).time.seconds < 2)
    }

    @Test func `an overrun is stated with what it cost, and capture goes on`() throws {
        var microphone = try Microphone(MicrophoneRequest(device: lab.device), streamZero: MonotonicClock.now())
        let before = try capture(&microphone, seconds: 1)
        // A process that is stopped reads nothing: the device's half second runs over.
        let stall = Process()
        stall.executableURL = URL(filePath: "/bin/sh")
        let id = ProcessInfo.processInfo.processIdentifier
        stall.arguments = ["-c", "kill -STOP \(id); sleep 2; kill -CONT \(id)"]
        try stall.run()
        stall.waitUntilExit()
        let blocks = before + (try capture(&microphone, seconds: 2))
        let statistics = microphone.statistics
        #expect(statistics.deviceOverruns >= 1)
        let gap = try #require(blocks.firstIndex { $0.lostBefore > .zero })
        let lost = blocks[gap].lostBefore
        #expect(lost.seconds > 1 && lost.seconds < 20)
        #expect(abs((blocks[gap].time - blocks[gap - 1].end - lost).seconds) < 0.02)
        // Both sides are whole, and as far apart in the recording as the gap says.
        let first = try #require(place(of: blocks[..<gap].flatMap(\.samples)))
        let after = blocks[gap...].prefix { $0.lostBefore == lost || $0.lostBefore == .zero }
        let second = try #require(place(of: after.flatMap(\.samples)))
        let heard = blocks[..<gap].reduce(0) { $0 + $1.frames }
        let frames = reference.count / channels
        let skipped = (second - first - heard + 100 * frames) % frames
        #expect(abs(skipped - lost.samples(rateHz: rateHz) % frames) < rateHz / 20)
    }

    @Test func `a second reader is told that the device is busy`() throws {
        var microphone = try Microphone(MicrophoneRequest(device: lab.device), streamZero: MonotonicClock.now())
        #expect(throws: CaptureError.deviceBusy(name: lab.device)) {
            _ = try Microphone(MicrophoneRequest(device: lab.device), streamZero: 0).format
        }
        #expect(DeviceList.microphones().contains { $0.state == .busy || $0.state == .free })
        _ = try capture(&microphone, seconds: 0.2)
    }

    @Test func `the card is listed by its id`() throws {
        let listed = try #require(DeviceList.microphones().first { $0.name == "hw:CARD=Loopback,DEV=1" })
        #expect(listed.label.hasPrefix("Loopback"))
    }

    @Test func `a card that is unplugged is lost, and says so at once`() throws {
        var microphone = try Microphone(MicrophoneRequest(device: lab.device), streamZero: MonotonicClock.now())
        _ = try capture(&microphone, seconds: 0.5)
        try Data("snd_aloop.0".utf8).write(to: URL(filePath: "/sys/bus/platform/drivers/snd_aloop/unbind"))
        do {
            _ = try capture(&microphone, seconds: 10)
            Issue.record("it went on")
        } catch let error as CaptureError {
            // A read that is under way when the card goes ends with EIO, one that comes after with ENODEV.
            let reasons = [ENODEV, EIO].map { CaptureError.lost(device: lab.device, errno: $0) }
            #expect(reasons.contains(error))
        }
    }
}
