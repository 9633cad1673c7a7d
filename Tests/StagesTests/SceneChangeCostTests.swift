import Glibc
import Media
import Scenes
import Signal
import Testing

/// What the gate costs beside the decoding: `swift test -c release --disable-xctest --filter SceneChangeCost`.
struct SceneChangeCostTests {
    private static func processorMilliseconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }

    /// Milliseconds of processor time a frame: sketch, noise and gate on the luma of 1280 x 720.
    private func cost(_ lumas: [Picture]) -> Double {
        let comparison = ViewComparison()
        var noise = NoiseLevel()
        var gate = SceneGate<LumaSketch>(
            SceneGateSettings(), change: comparison.change, isCut: { comparison.isCut(from: $0, to: $1) })
        let start = Self.processorMilliseconds()
        for (index, luma) in lumas.enumerated() {
            var sketch = LumaSketch(luma)
            noise.measure(&sketch, comparison)
            _ = gate.advance(to: VideoFrame.time(index, fps: 30), sketch)
        }
        return (Self.processorMilliseconds() - start) / Double(lumas.count)
    }

    /// The least of several: others may be using the processor.
    @Test(arguments: [0, 8]) func theGateTakesLessThanAFifthOfAMillisecond(pixelsAFrame: Int) throws {
        let lumas = try (0..<120).map { index in
            try PictureDecoder().eighthLuma(
                SceneChangeStageTests.frame(
                    view: 1, shift: pixelsAFrame * index, noise: 3, seed: UInt64(index),
                    size: PixelSize(width: 1_280, height: 720), at: .zero))
        }
        let least = (0..<10).map { _ in cost(lumas) }.min() ?? 0
        print("scene gate, \(pixelsAFrame) pixels of movement a frame: \(least) ms a frame")
        #if !DEBUG
            #expect(least < 0.2)
        #endif
    }
}
