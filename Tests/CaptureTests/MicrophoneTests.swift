import Capture
import Foundation
import Media
import TestSupport
import Testing

/// The real libasound2 on devices that exist only in its configuration. `.serialized`: it is one per process.
@Suite(.serialized)
struct MicrophoneTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// `testmic` delivers `samples` in `format`, whatever is asked for: ALSA's `file` plugin, which has no clock and no
    /// end. `testmic16` is fixed to S16, 16 kHz, mono. (Converting, the plugin mixes up its periods: not for exactness.)
    private func configure(_ samples: [Int16], as format: SampleFormat = .s16) throws {
        let input = try folder.write(samples.flatMap { bytes($0, as: format) }, as: "in.raw")
        let configuration = """
            </usr/share/alsa/alsa.conf>
            pcm.testmic {
                type file slave.pcm { type null } file "/dev/null" infile "\(input)" format "raw"
            }
            pcm.testmic16 {
                type plug slave { pcm "testmic" format S16_LE rate 16000 channels 1 }
                hint { show on description "A test microphone" }
            }
            """
        setenv("ALSA_CONFIG_PATH", try folder.write(Array(configuration.utf8), as: "asound.conf"), 1)
    }

    private func bytes(_ sample: Int16, as format: SampleFormat) -> [UInt8] {
        let low = UInt8(truncatingIfNeeded: sample)
        let high = UInt8(truncatingIfNeeded: sample >> 8)
        return switch format {
        case .s16: [low, high]
        case .s24Packed: [0, low, high]
        case .s24: [0, low, high, 0xa5]  // the top byte is undefined
        case .s32: [0, 0, low, high]
        case .float32: withUnsafeBytes(of: (Float(sample) / 32_768).bitPattern.littleEndian) { Array($0) }
        }
    }

    /// Pulls until `frames` frames are there or it takes absurdly long.
    private func capture(_ microphone: inout Microphone, frames: Int) throws -> [AudioBlock] {
        var blocks: [AudioBlock] = []
        let limit = ContinuousClock.now + .seconds(20)
        while blocks.reduce(0, { $0 + $1.frames }) < frames, ContinuousClock.now < limit {
            if case .block(let block, _) = try microphone.next() { blocks.append(block) } else { usleep(5_000) }
        }
        return blocks
    }

    @Test(arguments: MicrophoneRequest.finestFirst)
    func `samples arrive exactly in every format`(format: SampleFormat) throws {
        var random = SplitMix64(seed: 5)
        let samples = (0..<32_000).map { _ in Int16.random(in: .min ... .max, using: &random) }
        try configure(samples, as: format)
        let request = MicrophoneRequest(device: "testmic", rateHz: 16_000, channels: 1, formats: [format])
        var microphone = try Microphone(request, streamZero: MonotonicClock.now())
        #expect(microphone.format == AudioFormat(rateHz: 16_000, channels: 1, sampleFormat: format))
        let blocks = try capture(&microphone, frames: 12_000)
        let heard = blocks.flatMap(\.samples)
        #expect(heard.count >= 12_000)
        #expect(heard == samples.prefix(heard.count).map { Float($0) / 32_768 })
        #expect(zip(blocks, blocks.dropFirst()).allSatisfy { $0.time < $1.time })
        #expect(blocks.allSatisfy { $0.lostBefore == .zero })
    }

    @Test func `a device without a clock is held to its rate`() throws {
        try configure([Int16](repeating: 1_000, count: 64_000))
        let start = MonotonicClock.now()
        var microphone = try Microphone(MicrophoneRequest(device: "testmic16"), streamZero: start)
        _ = try capture(&microphone, frames: 16_000)
        // Half a second is in its buffer at the start; the other half must take its time.
        #expect(MonotonicClock.now() - start > 400_000_000)
        #expect(microphone.statistics.framesDropped == 0 && microphone.statistics.deviceOverruns == 0)
    }

    @Test func `it stops in less than 300 ms`() throws {
        try configure([0])
        var stopping: Int64 = 0
        func captureBriefly() throws {
            let microphone = try Microphone(MicrophoneRequest(device: "null"), streamZero: 0)
            usleep(60_000)
            #expect(microphone.statistics.framesCaptured > 0)
            stopping = MonotonicClock.now()
        }
        try captureBriefly()
        #expect(MonotonicClock.now() - stopping < 300_000_000)
    }

    @Test func `an unknown device is refused with what there is`() throws {
        try configure([0])
        let available = DeviceList.microphones().map(\.name)
        #expect(throws: CaptureError.deviceNotFound(name: "nonsense", available: available)) {
            _ = try Microphone(MicrophoneRequest(device: "nonsense"), streamZero: 0).format
        }
    }

    @Test func `a format that the device does not have is refused`() throws {
        #expect(throws: CaptureError.self) {
            _ = try Microphone(MicrophoneRequest(device: "testmic16", formats: []), streamZero: 0).format
        }
    }

    @Test func `a configured microphone is listed with what it offers`() throws {
        try configure([0])
        let listed = try #require(DeviceList.microphones().first { $0.name == "testmic16" })
        #expect(listed.label == "A test microphone" && listed.state == .free)
        #expect(listed.ratesHz == [16_000])
        #expect(listed.formats.contains(.s16))
        #expect(!DeviceList.microphones().contains { $0.name == "null" })
    }
}
