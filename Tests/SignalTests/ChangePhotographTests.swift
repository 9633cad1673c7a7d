import Foundation
import Media
import Signal
import TestSupport
import Testing

/// The measure on photographs: cuts among any two are changes, the same in another light, quality or focus is none.
@Suite(.enabled(if: RealData.shared("images") != nil, "needs the shared pictures"))
struct ChangePhotographTests {
    static let photographs: [String] = {
        let folder = RealData.shared("images") ?? ""
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".jpg") }.sorted().map { "\(folder)/\($0)" }
    }()

    private func frame(_ bytes: [UInt8]) -> VideoFrame {
        VideoFrame(
            time: .zero, size: PixelSize(width: 0, height: 0), format: .mjpeg, bytesPerRow: 0, bytes: bytes)
    }

    private func read(_ path: String) throws -> VideoFrame {
        frame([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
    }

    private func sketch(_ frame: VideoFrame) throws -> LumaSketch { LumaSketch(try PictureDecoder().eighthLuma(frame)) }

    private func sketch(_ picture: Picture, quality: Int = 90) throws -> LumaSketch {
        try sketch(frame(JPEGEncoder.encode(picture, quality: quality)))
    }

    @Test func anyTwoPhotographsAreAChangeAndHardlyEverAMovement() throws {
        let sketches = try Self.photographs.map { try sketch(try read($0)) }
        var (pairs, cuts) = (0, 0)
        for one in sketches.indices {
            for other in sketches.indices where other > one {
                let comparison = ViewComparison()
                #expect(comparison.change(sketches[one], sketches[other]) > 0.5)
                pairs += 1
                cuts += comparison.isCut(from: sketches[one], to: sketches[other]) ? 1 : 0
            }
        }
        #expect(cuts * 100 >= pairs * 98, "\(cuts) of \(pairs)")
    }

    @Test(arguments: photographs) func theSamePhotographIsNoChange(path: String) throws {
        let picture = try PictureDecoder().decode(try read(path), as: .rgb).picture
        let original = try sketch(picture)
        func altered(_ alter: (Int, Float) -> Float) -> Picture {
            Picture(
                width: picture.width, height: picture.height, channels: 3,
                pixels: picture.pixels.enumerated().map { UInt8(min(max(alter($0, Float($1)), 0), 255)) })
        }
        var random = SplitMix64(seed: 1)
        var variants: [(String, LumaSketch)] = []
        for gain in [0.5, 0.7, 1.3, 1.6, 1.9] as [Float] {
            variants.append(("gain \(gain)", try sketch(altered { $1 * gain })))
        }
        for stop in [0.5, 2] as [Float] {
            // In linear light, as an exposure is.
            variants.append(("exposure \(stop)", try sketch(altered { pow(pow($1 / 255, 2.2) * stop, 1 / 2.2) * 255 })))
        }
        for quality in [20, 40, 100] {
            variants.append(("quality \(quality)", try sketch(picture, quality: quality)))
        }
        let noisy = altered { $1 + 20 * Float.random(in: -1..<1, using: &random) }
        variants.append(("noise", try sketch(noisy)))
        for (name, variant) in variants {
            #expect(ViewComparison().change(original, variant) < 0.12, "\(name)")
        }
    }

    @Test(arguments: photographs) func theLightOverAPhotographGoesOut(path: String) throws {
        let picture = try PictureDecoder().decode(try read(path), as: .rgb).picture
        let original = try sketch(picture)
        for rest in [0, 0.05, 0.2] as [Float] {
            let dark = Picture(
                width: picture.width, height: picture.height, channels: 3,
                pixels: picture.pixels.map { UInt8(Float($0) * rest) })
            #expect(ViewComparison().change(original, try sketch(dark)) > 0.12, "\(rest)")
        }
    }
}
