import Capture
import Media
import Testing

struct SoundTrackTests {
    private let format = AudioFormat(rateHz: 1_000, channels: 2, sampleFormat: .s16)

    private func run(_ first: Int, frames: Int) -> [Float] { (0..<frames * 2).map { Float(first * 2 + $0) } }

    @Test func `runs are joined up to the limit and never across a gap`() throws {
        let track = SoundTrack(format: format, periodFrames: 10)
        for index in 0..<4 {
            let lost: Int64 = index == 2 ? 77 : 0
            let fitted = track.put(run(index * 10, frames: 10).span, time: Int64(index), lost: lost)
            #expect(fitted)
        }
        let before = try #require(track.take(maxFrames: 100))
        #expect(before.samples == run(0, frames: 20) && before.time == 0 && before.lost == 0)
        let after = try #require(track.take(maxFrames: 15))
        #expect(after.samples == run(20, frames: 10) && after.time == 2 && after.lost == 77)
        #expect(track.take(maxFrames: 1)?.samples == run(30, frames: 10))  // one run is never split
        #expect(track.take(maxFrames: 100) == nil)
    }

    @Test func `a reader that stays away loses whole runs`() {
        let track = SoundTrack(format: format, periodFrames: 10)
        var accepted = 0
        for index in 0..<1_000 where track.put(run(0, frames: 10).span, time: Int64(index), lost: 0) { accepted += 1 }
        #expect(accepted >= 400 && accepted < 1_000)  // four seconds
        var taken = 0
        while let run = track.take(maxFrames: 100) { taken += run.samples.count }
        #expect(taken == accepted * 20)
    }
}
