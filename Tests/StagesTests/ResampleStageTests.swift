import Graph
import Media
import Signal
import Stages
import Testing

struct ResampleStageTests {
    private func run(_ blocks: [AudioBlock]) throws -> [AudioBlock] {
        let worker = ResampleWorker(rateHz: 16_000, policy: .mix) { _ in }
        let output = Output(origin: "tone")
        for block in blocks {
            try worker.offer(Packet(block, origin: "tone"))
            _ = try worker.work(output)
        }
        try worker.finish()
        _ = try worker.work(output)
        return try output.take().map { try $0.value(as: SpeechBlock.self).block }
    }

    private func tone(rateHz: Int, channels: Int, frames: Int, from start: Int = 0) -> AudioBlock {
        AudioBlock(
            time: MediaTime(samples: start, rateHz: rateHz), rateHz: rateHz, channels: channels,
            samples: [Float](repeating: 0.25, count: frames * channels))
    }

    @Test(arguments: [8_000, 16_000, 44_100, 48_000]) func timesFollowTheSound(rateHz: Int) throws {
        let step = rateHz / 25
        let blocks = try run((0..<50).map { tone(rateHz: rateHz, channels: 2, frames: step, from: $0 * step) })
        #expect(blocks.map(\.frames).reduce(0, +) == 32_000)
        for (block, next) in zip(blocks, blocks.dropFirst()) {
            #expect(abs((next.time - block.end).nanoseconds) <= 2)  // rounding of times
        }
        #expect(abs(try #require(blocks.first).time.nanoseconds) <= 2)
        #expect(abs((try #require(blocks.last).end - MediaTime(milliseconds: 2_000)).nanoseconds) <= 2)
    }

    @Test func aGapIsHandedOnAndTheTimeIsRightBehindIt() throws {
        var late = tone(rateHz: 48_000, channels: 1, frames: 4_800)
        late.time = MediaTime(milliseconds: 700)
        late.lostBefore = MediaTime(milliseconds: 600)
        let blocks = try run([tone(rateHz: 48_000, channels: 1, frames: 4_800), late])
        let behind = blocks.drop { $0.lostBefore == .zero }
        #expect(blocks.prefix { $0.lostBefore == .zero }.map(\.frames).reduce(0, +) == 1_600)
        #expect(behind.first?.lostBefore == MediaTime(milliseconds: 600))
        #expect(abs(try #require(behind.first { $0.frames > 0 }).time.milliseconds - 700) <= 1)
    }
}
