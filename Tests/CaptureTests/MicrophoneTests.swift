import Capture
import Foundation
import Media
import Synchronization
import TestSupport
import Testing

/// The real libasound2 on devices that exist only in its configuration. `.serialized`: it is one per process.
@Suite(.serialized)
struct MicrophoneTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// `testmic` delivers `samples` in `format`.
    private func configure(_ samples: [Int16], as format: SampleFormat = .s16) throws {
        let input = try folder.write(samples.flatMap { bytes($0, as: format) }, as: "in.raw")
        let configuration = FileMicrophone.configuration(of: input)
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

    /// Records until `frames` frames are there, and ends.
    private func record(_ request: MicrophoneRequest, frames: Int) async throws -> MicrophoneState {
        let recording = MicrophoneRecording(request)
        let result: Result<Void, any Error>
        do {
            result = .success(try await recording.wait(for: "sound") { $0.frames >= frames })
        } catch {
            result = .failure(error)
        }
        await recording.end()
        try result.get()
        return recording.state.withLock { $0 }
    }

    @Test(arguments: MicrophoneRequest.finestFirst)
    func `samples arrive exactly in every format`(format: SampleFormat) async throws {
        var random = SplitMix64(seed: 5)
        let samples = (0..<32_000).map { _ in Int16.random(in: .min ... .max, using: &random) }
        try configure(samples, as: format)
        let request = MicrophoneRequest(device: "testmic", rateHz: 16_000, channels: 1, formats: [format])
        let state = try await record(request, frames: 12_000)
        #expect(state.formats.map(\.sound) == [AudioFormat(rateHz: 16_000, channels: 1, sampleFormat: format)])
        // Behind the end of its file the plugin delivers what it likes; a slow machine gets there.
        let heard = state.samples.prefix(samples.count)
        let isExact = heard.elementsEqual(samples.prefix(heard.count).map { Float($0) / 32_768 })
        #expect(isExact, "\(heard.count) frames")
        #expect(zip(state.blocks, state.blocks.dropFirst()).allSatisfy { $0.time < $1.time })
        #expect(state.blocks.allSatisfy { $0.lostBefore == .zero })
        #expect(state.lost.isEmpty && state.restored.isEmpty && state.overruns.isEmpty)
    }

    /// A pipe that nobody writes to holds up the read of it for ever.
    @Test func `a device that hangs is told lost, and heard again when it can be opened`() async throws {
        try configure([Int16](repeating: 1_000, count: 64_000))
        let input = folder.path("in.raw")
        try FileManager.default.moveItem(atPath: input, toPath: input + ".away")
        #expect(mkfifo(input, 0o600) == 0)
        let pipe = try FileHandle(forUpdating: URL(filePath: input))
        try pipe.write(contentsOf: Data(count: 16_000))
        let recording = MicrophoneRecording(MicrophoneRequest(device: "testmic", rateHz: 16_000, channels: 1))
        try await recording.wait(for: "sound") { $0.frames > 0 }
        #expect(rename(input + ".away", input) == 0)
        try await recording.wait(for: "loss") { !$0.lost.isEmpty }
        try await recording.wait(for: "return") { !$0.restored.isEmpty && $0.blocks.contains { $0.lostBefore > .zero } }
        await recording.end()
        recording.state.withLock { state in
            #expect(state.lost.count == 1 && state.lost[0].contains("hangs") && state.restored.count == 1)
            #expect(state.statistics.reopens == 1)
            #expect(zip(state.blocks, state.blocks.dropFirst()).allSatisfy { $0.time < $1.time })
        }
        withExtendedLifetime(pipe) {}
    }

    @Test func `it is read in periods of 20 ms out of half a second`() async throws {
        try configure([Int16](repeating: 1_000, count: 64_000))
        let state = try await record(MicrophoneRequest(device: "testmic16"), frames: 1_000)
        let format = try #require(state.formats.first)
        #expect(format.period == MediaTime(milliseconds: 20) && format.buffer == MediaTime(milliseconds: 500))
        #expect(format.realtimePriority >= 0 && format.realtimePriority < 50)
        #expect("\(format)".contains("16000 Hz, 2 ch, read every 20 ms out of a buffer of 500 ms"))
    }

    @Test func `a device without a clock is held to its rate`() async throws {
        try configure([Int16](repeating: 1_000, count: 64_000))
        let start = MonotonicClock.now()
        let state = try await record(MicrophoneRequest(device: "testmic16"), frames: 16_000)
        // Half a second is in its buffer at the start; the other half must take its time.
        #expect(MonotonicClock.now() - start > 400_000_000)
        #expect(state.statistics.framesDropped == 0 && state.statistics.deviceOverruns == 0)
    }

    @Test func `it stops in less than 300 ms`() throws {
        try configure([0])
        var stopping: Int64 = 0
        func captureBriefly() throws {
            let microphone = try Microphone(MicrophoneRequest(device: "null"), streamZero: 0)
            while microphone.statistics.framesCaptured == 0 { usleep(10_000) }
            stopping = MonotonicClock.now()
        }
        try captureBriefly()
        #expect(MonotonicClock.now() - stopping < 300_000_000)
    }

    @Test func `a name that ALSA does not know is refused`() async throws {
        try configure([0])
        let recording = MicrophoneRecording(MicrophoneRequest(device: "nonsense"))
        try await recording.wait(for: "refusal") { $0.failure != nil }
        let message = "'nonsense' cannot be used: ALSA knows no such name. `narrator devices` lists what can."
        #expect(recording.state.withLock { $0.failure } == .deviceUnusable(message: message))
        #expect(DeviceList.obstacle(microphone: "nonsense") == message)
    }

    @Test func `a format that the device does not have is refused`() async throws {
        try configure([0])
        let recording = MicrophoneRecording(MicrophoneRequest(device: "testmic16", formats: []))
        try await recording.wait(for: "refusal") { $0.failure != nil }
    }

    @Test func `a microphone that is not there is told once, and waited for`() async throws {
        try configure([1, 2, 3, 4])
        let input = folder.path("in.raw")
        try FileManager.default.moveItem(atPath: input, toPath: input + ".away")
        let recording = MicrophoneRecording(MicrophoneRequest(device: "testmic", rateHz: 16_000, channels: 1))
        try await recording.wait(for: "loss") { !$0.lost.isEmpty }
        try await Task.sleep(for: .milliseconds(700))  // longer than the first back-off
        try FileManager.default.moveItem(atPath: input + ".away", toPath: input)
        try await recording.wait(for: "return") { !$0.restored.isEmpty && $0.frames > 0 }
        await recording.end()
        recording.state.withLock { state in
            #expect(state.lost.count == 1 && state.lost[0].contains("There is no microphone at 'testmic'. Plug it in"))
            #expect(state.obstacles.isEmpty)
            // What is missing is told, and is where the stream time begins.
            let lost = state.restored[0]
            #expect(lost >= MediaTime(milliseconds: 600) && state.blocks[0].lostBefore == lost)
            #expect(state.blocks[0].time >= MediaTime(milliseconds: 600))
        }
    }

    @Test func `a configured microphone is listed with what it offers`() throws {
        try configure([0])
        let listed = try #require(DeviceList.microphones().first { $0.name == "testmic16" })
        #expect(listed.label == "A test microphone" && listed.state == .free)
        #expect(listed.ratesHz == [16_000])
        #expect(listed.formats.contains(.s16))
        #expect(!DeviceList.microphones().contains { $0.name == "null" })
        #expect(DeviceList.obstacle(microphone: "testmic16") == nil)
    }
}
