import Foundation
import Gemma
import Kernels
import Signal

extension GemmaBench {
    /// Sides of pictures that the model was trained with.
    private static let sides = [256, 512, 768]

    /// How long a picture takes, from its pixels to its soft tokens, and what memory that needs beside the weights.
    func measurePictures(_ gemma: OpenedGemma, into report: inout BenchReport) throws {
        let encoder = GemmaVisionEncoder(weights: try gemma.vision(), pool: pool)
        let (width, height) = (640, 480)
        let bytes = (0..<width * height * 3).map { (index: Int) in UInt8(truncatingIfNeeded: index * 7 / width) }
        let picture = Picture(width: width, height: height, channels: 3, pixels: bytes)
        for side in Self.sides {
            let seconds = BenchStopwatch.median(of: side > 256 ? 1 : 3) {
                _ = encoder.encode(picture, resolution: side)
            }
            report.add("vision_encoder_\(side)_s", "a picture of \(side) x \(side)", .seconds(seconds))
        }
        report.add("vision_scratch_bytes", "memory of the picture encoder at work", .bytes(encoder.scratchByteCount))
    }
}
