import Media
import Signal
import Testing
import TestSupport

/// Damaged JPEGs: whatever comes is a picture or an error, soon and in bounded memory.
struct PictureMutationTests {
    @Test(
        "A mutated JPEG gives a picture or an error",
        arguments: ["s420", "gray", "cmyk", "progressive", "restarts", "optimized", "rgb", "s422"])
    func survivesMutations(name: String) throws {
        let jpeg = try withOrientation(5, bigEndian: true, goldenJPEG(name))
        var decoder = PictureDecoder()
        decoder.maximumClaimedPixels = 1 << 20  // a mutated size is decoded, too
        for seed in 0..<250 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var mutant = jpeg
            if seed % 4 == 0 { mutant.removeLast(Int.random(in: 0..<jpeg.count, using: &random)) }
            for _ in 0..<Int.random(in: 1...8, using: &random) where !mutant.isEmpty {
                let index = Int.random(in: 0..<mutant.count, using: &random)
                mutant[index] = Bool.random(using: &random) ? 0xFF : UInt8.random(in: 0...255, using: &random)
            }
            let frame = jpegFrame(mutant)
            if let decoded = try? decoder.decode(frame, as: seed % 2 == 0 ? .rgb : .luma) {
                #expect(decoded.picture.size == decoded.fullSize)
            }
            _ = try? decoder.eighthLuma(frame)
        }
    }
}
