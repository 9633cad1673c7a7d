import Graph
import Media
import Scenes
import Stages
import TestSupport
import Testing

/// The shared sequences at several rates: what is told does not depend on the rate.
@Suite(.enabled(if: SharedPictures.folder != nil, "needs the shared pictures"))
struct SceneChangeSequenceTests {
    static let intervals = [0, 5_000]

    private func run(
        _ frames: [[UInt8]], fps: Int, minInterval: Int, settle: Int = 400, times: Int = 1
    ) throws -> SceneChangeHarness {
        let harness = SceneChangeHarness(
            SceneGateSettings(
                settle: MediaTime(milliseconds: settle), minInterval: MediaTime(milliseconds: minInterval)))
        for index in 0..<frames.count * times {
            try harness.show(VideoFrame(jpeg: frames[index % frames.count], at: VideoFrame.time(index, fps: fps)))
        }
        try harness.finish()
        return harness
    }

    @Test(
        arguments: [
            ("seq_static_noise", 1), ("seq_cuts", 3), ("seq_pan_parrots", 1), ("seq_zoom_plane", 1),
            ("seq_lights_out", 3)
        ], [1, 5, 10, 15, 30])
    func aSequenceTellsItsScenesAtEveryRate(sequence: (name: String, scenes: Int), fps: Int) throws {
        let frames = try SharedPictures.sequence(sequence.name)
        for minInterval in Self.intervals {
            let harness = try run(frames, fps: fps, minInterval: minInterval)
            let expected: [SceneReason] = [.first] + Array(repeating: .change, count: sequence.scenes - 1)
            #expect(harness.reasons == expected, "\(minInterval): \(harness.told)")
        }
    }

    @Test(arguments: [1, 2, 5, 30]) func cockatoo(fps: Int) throws {
        let harness = try run(try SharedPictures.sequence("seq_cockatoo"), fps: fps, minInterval: 5_000)
        #expect(harness.reasons.first == .first)
    }
}
