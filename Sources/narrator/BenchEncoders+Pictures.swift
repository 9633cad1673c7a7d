import Foundation
import Gemma
import Signal

extension GemmaBench {
    /// Sides of pictures that the model was trained with.
    private static let sides = [256, 512, 768]

    /// How long a picture takes, from its pixels to its soft tokens, and what memory that needs beside the weights.
    func measurePictures(_ gemma: OpenedGemma, into report: inout BenchReport) throws {
        let encoder = GemmaVisionEncoder(weights: try gemma.vision(), pool: pool)
        let picture = Picture(
            width: 640, height: 480, channels: 3, pixels: (0..<640 * 480 * 3).map { UInt8($0 * 7 / 640 % 256) })
        for side in Self.sides {
            let seconds = BenchStopwatch.median(of: side > 256 ? 1 : 3) {
                _ = encoder.encode(picture, resolution: side)
            }
            report.add("vision_encoder_\(side)_s", "a picture of \(side) x \(side)", .seconds(seconds))
        }
        report.add("vision_scratch_bytes", "memory of the picture encoder at work", .bytes(encoder.scratchByteCount))
    }
}
