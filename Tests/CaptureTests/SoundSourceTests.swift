import Capture
import Foundation
import Media
import Synchronization
import Testing

/// A clock that moves only when somebody sleeps, and notes when they were woken.
private final class SleepingClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset = Duration.zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    private let instant = Mutex(Instant())
    var minimumResolution: Duration { .zero }
    var now: Instant { instant.withLock { $0 } }

    func advance(by duration: Duration) { instant.withLock { $0 = $0.advanced(by: duration) } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        instant.withLock { $0 = max($0, deadline) }
    }
}

struct SoundSourceTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func ramp(frames: Int) throws -> (path: String, samples: [Float]) {
        let values = (0..<frames).map { Int16($0 % 30_000) }
        let path = try folder.write(Fixtures.wav(values, rateHz: 16_000, channels: 1), as: "ramp.wav")
        return (path, values.map { Float($0) / 32_768 })
    }

    @Test(arguments: Pace.allCases)
    func `a file's blocks follow one another and hold all of it`(pace: Pace) async throws {
        let (path, samples) = try ramp(frames: 10_000)
        var source = FilePacer(file: try AudioFile(path: path), pace: pace)
        var blocks: [AudioBlock] = []
        try await SoundPump.run(&source, clock: SleepingClock()) { blocks.append($0) }
        #expect(blocks.flatMap(\.samples) == samples)
        #expect(blocks.first?.time == .zero)
        #expect(zip(blocks, blocks.dropFirst()).allSatisfy { $0.end == $1.time })
        #expect(blocks.dropLast().allSatisfy { $0.duration == MediaTime(milliseconds: 40) })
    }

    @Test func `a paced block goes out when its last sample is due, and delays do not add up`() async throws {
        let (path, _) = try ramp(frames: 16_000)
        var source = FilePacer(file: try AudioFile(path: path), pace: .realtime)
        let clock = SleepingClock()
        var handed: [(end: MediaTime, at: Duration)] = []
        try await SoundPump.run(&source, clock: clock) { block in
            handed.append((block.end, clock.now.offset))
            clock.advance(by: .milliseconds(13))  // a reader that takes its time
        }
        #expect(handed.count == 25)
        #expect(handed.allSatisfy { .nanoseconds($0.end.nanoseconds) == $0.at })
    }

    @Test func `a fast file never waits`() async throws {
        let (path, _) = try ramp(frames: 16_000)
        var source = FilePacer(file: try AudioFile(path: path), pace: .fast)
        let clock = SleepingClock()
        try await SoundPump.run(&source, clock: clock) { _ in }
        #expect(clock.now.offset == .zero)
    }

    @Test func `a looping file goes on in stream time until it is stopped`() async throws {
        let (path, samples) = try ramp(frames: 1_000)
        var source = FilePacer(file: try AudioFile(path: path), pace: .fast, loops: true)
        var heard: [Float] = []
        var end = MediaTime.zero
        var blocks = 0
        try await SoundPump.run(&source, clock: SleepingClock(), isStopped: { blocks == 6 }) { block in
            #expect(block.time == end)
            end = block.end
            heard += block.samples
            blocks += 1
        }
        #expect(heard == samples + samples + samples)
    }

    @Test func `a looping file without a sample ends`() async throws {
        let path = try folder.write(Fixtures.wav([], rateHz: 16_000, channels: 1), as: "none.wav")
        var source = FilePacer(file: try AudioFile(path: path), pace: .fast, loops: true)
        try await SoundPump.run(&source, clock: SleepingClock()) { _ in Issue.record("there is nothing to deliver") }
    }

    @Test func `a tone has its frequency, level and length`() async throws {
        let duration = MediaTime(milliseconds: 1_010)
        var source = try TestTone(rateHz: 48_000, amplitude: 0.25, duration: duration, pace: .fast)
        var samples: [Float] = []
        try await SoundPump.run(&source, clock: SleepingClock()) { samples += $0.samples }
        #expect(samples.count == 48_480)
        #expect(abs(samples.max()! - 0.25) < 1e-3)
        #expect(zip(samples, samples.dropFirst()).count { $0 < 0 && $1 >= 0 } == 444)  // 440 Hz × 1.01 s
        #expect(throws: CaptureError.self) { try TestTone(rateHz: 0) }
    }

    @Test(arguments: [1, 3, 4, 7, 1_000])
    func `a pipe's frames are put together whatever pieces they come in`(piece: Int) async throws {
        let bytes = (0..<4_003).map { UInt8(truncatingIfNeeded: $0 &* 7) }  // three bytes are not a frame
        let format = AudioFormat(rateHz: 8_000, channels: 2, sampleFormat: .s16)
        let pipe = Pipe()
        var source = try PCMStdin(format: format, descriptor: pipe.fileHandleForReading.fileDescriptor)
        var blocks: [AudioBlock] = []
        var sent = 0
        reading: while true {
            switch try source.next() {
            case .block(let block, let due):
                #expect(due == nil && block.time == (blocks.last?.end ?? .zero))
                blocks.append(block)
            case .pending where sent < bytes.count:
                pipe.fileHandleForWriting.write(Data(bytes[sent..<min(sent + piece, bytes.count)]))
                sent += piece
                if sent >= bytes.count { try pipe.fileHandleForWriting.close() }
            case .pending: break
            case .ended: break reading
            }
        }
        #expect(blocks.flatMap(\.samples) == PCMConversion.samples(Array(bytes.prefix(4_000)), as: .s16))
    }

    @Test func `absurd raw formats are refused`() {
        for (rateHz, channels) in [(0, 1), (16_000, 0), (16_000, 65), (4_000_000_000, 1), (-1, 1)] {
            let format = AudioFormat(rateHz: rateHz, channels: channels, sampleFormat: .s16)
            #expect(throws: CaptureError.formatAbsurd(format)) { _ = try PCMStdin(format: format).format }
        }
    }
}
