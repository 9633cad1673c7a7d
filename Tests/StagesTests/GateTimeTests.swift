import Foundation
import Media
import Scenes
import Signal
import TestSupport
import Testing

/// What the gate itself takes of a processor, without the decoder. Printed, and held against a bound that only a gate of
/// another order breaks: machines differ.
@Suite(.enabled(if: SharedPictures.folder != nil, Comment(rawValue: SharedPictures.reason)))
struct GateTimeTests {
    /// Of this thread, in milliseconds: others want the processor too.
    private func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }

    @Test(arguments: [("still", 0), ("pan", 1), ("cuts", 23)])
    func aFrameOf720pTakesTheGateAFractionOfAMillisecond(view: String, step: Int) throws {
        let folder = try #require(SharedPictures.folder)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/canal_town.jpg")))
        let luma = try PictureDecoder().eighthLuma(
            VideoFrame(
                time: .zero, size: PixelSize(width: 1_280, height: 720), format: .mjpeg, bytesPerRow: 0, bytes: bytes))
        var random = SplitMix64(seed: 1)
        // The picture moved along by `step` of its pixels a frame, with a camera's noise.
        let frames = (0..<60).map { index in
            let pixels = (0..<(luma.width * luma.height)).map { at in
                let (row, column) = (at / luma.width, at % luma.width)
                let pixel = Int(luma.pixels[row * luma.width + (column + index * step) % luma.width])
                return UInt8(clamping: pixel + Int(random.next() % 5) - 2)
            }
            return Picture(width: luma.width, height: luma.height, channels: 1, pixels: pixels)
        }
        let comparison = ViewComparison()
        var gate = SceneGate<LumaSketch>(
            SceneGateSettings(), change: { comparison.change($0, $1) }, isCut: { comparison.isCut(from: $0, to: $1) })
        var noise = NoiseLevel()
        var times: [Double] = []
        for index in 0..<600 {
            let start = processorTime()
            var sketch = LumaSketch(frames[index % frames.count])
            noise.measure(&sketch, comparison)
            _ = gate.advance(to: MediaTime(milliseconds: index * 1_000 / 30), sketch)
            times.append(processorTime() - start)
        }
        let median = times.sorted()[times.count / 2]
        let mean = times.reduce(0, +) / Double(times.count)
        print("measured: gate, \(view): \(String(format: "median %.3f, mean %.3f", median, mean)) ms a frame")
        #expect(median < 5)
    }
}
