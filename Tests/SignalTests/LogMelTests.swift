import Foundation
import Signal
import TestSupport
import Testing

struct LogMelTests {
    static let whisper = MelConfiguration(sampleRateHz: 16_000, windowSamples: 400, hopSamples: 160, melBins: 80)

    private func features(_ samples: [Float], frames: Int) -> [Float] {
        var mel = LogMel(configuration: Self.whisper)
        mel.append(samples.span)
        return mel.window(frames: frames)
    }

    private func worst(_ a: [Float], _ b: [Float]) -> Float {
        a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
    }

    /// The signal of `make_goldens.py`.
    private func goldenSignal(_ count: Int) -> [Float] {
        var random = SplitMix64(seed: 1)
        return (0..<count).map { n in
            let noise = Float(random.next() >> 40) / 16_777_216 * 2 - 1
            let t = Double(n) / 16_000
            let swell = 0.5 * sin(.pi * t) * sin(.pi * t)
            return Float(sin(2 * .pi * (300 * t + 1200 * t * t)) * swell) + noise * 0.003
        }
    }

    @Test(arguments: [("mel_full", 24_000, 150), ("mel_padded", 10_001, 100)])
    func agreesWithTheReference(name: String, count: Int, frames: Int) throws {
        let golden = try floats(at: golden("\(name).f32"))
        #expect(worst(features(goldenSignal(count), frames: frames), golden) < 1e-5)
    }

    @Test(arguments: chunkings)
    func piecesEqualWhole(chunk: Int?) {
        let samples = goldenSignal(20_000)
        var mel = LogMel(configuration: Self.whisper)
        for piece in pieces(samples, of: chunk) { mel.append(piece.span) }
        #expect(mel.sampleCount == 20_000)
        #expect(mel.window(frames: 200) == features(samples, frames: 200))
    }

    @Test(arguments: [
        0, 1, 39, 40, 199, 200, 201, 360, 361, 12_345, 15_799, 15_800, 15_801, 15_999, 16_000, 16_161, 19_000
    ])
    func growingAndTruncatedStretchesEqualFreshOnes(count: Int) {
        let samples = goldenSignal(20_000)
        let fresh = features(Array(samples.prefix(count)), frames: 100)
        var growing = LogMel(configuration: Self.whisper)
        for piece in pieces(Array(samples.prefix(count)), of: 777) {
            growing.append(piece.span)
            _ = growing.window(frames: 100)
        }
        #expect(growing.window(frames: 100) == fresh)
        let rest = Array(samples[count...])
        growing.append(rest.span)
        growing.truncate(toSamples: count)
        #expect(growing.window(frames: 100) == fresh)
        #expect(fresh.count == 8_000)
    }

    @Test func aTruncatedStretchGrowsOn() {
        let samples = goldenSignal(16_000)
        var mel = LogMel(configuration: Self.whisper)
        mel.append(samples.span)
        mel.truncate(toSamples: 5_003)
        let rest = Array(samples[5_003...])
        mel.append(rest.span)
        #expect(mel.window(frames: 120) == features(samples, frames: 120))
    }

    @Test func paddingEqualsZerosAndAWindowThatIsTooShortCuts() {
        let samples = goldenSignal(9_000)
        #expect(features(samples + Array(repeating: 0, count: 7_000), frames: 100) == features(samples, frames: 100))
        #expect(features(samples, frames: 50) == features(Array(samples.prefix(8_000)), frames: 50))
    }

    @Test func silenceIsFlat() {
        #expect(worst(features([], frames: 10), Array(repeating: -1.5, count: 800)) < 1e-6)
        var mel = LogMel(configuration: Self.whisper)
        mel.append(goldenSignal(5_000).span)
        mel.reset()
        #expect(mel.window(frames: 10) == features([], frames: 10))
    }

    @Test(arguments: [(400, 160), (512, 128), (320, 160), (480, 240), (96, 48), (1_024, 256), (50, 10)])
    func everyFrameLengthAgreesWithTheDefinition(windowSamples: Int, hopSamples: Int) {
        let configuration = MelConfiguration(
            sampleRateHz: 16_000, windowSamples: windowSamples, hopSamples: hopSamples, melBins: 8, dynamicRange: 20)
        var random = SplitMix64(seed: UInt64(windowSamples))
        let samples = random.floats(windowSamples * 3)
        var mel = LogMel(configuration: configuration)
        mel.append(samples.span)
        let frame = (windowSamples + hopSamples - 1) / hopSamples
        let frames = samples.count / hopSamples
        let row = mel.window(frames: frames)[frame * 8..<(frame + 1) * 8]

        let start = frame * hopSamples - windowSamples / 2
        let power = (0...windowSamples / 2).map { bin in
            var (re, im) = (0.0, 0.0)
            for n in 0..<windowSamples {
                let angle = 2 * Double.pi * Double(n * bin % windowSamples) / Double(windowSamples)
                let hann = 0.5 - 0.5 * cos(2 * Double.pi * Double(n) / Double(windowSamples))
                re += Double(samples[start + n]) * hann * cos(angle)
                im += Double(samples[start + n]) * hann * sin(angle)
            }
            return re * re + im * im
        }
        let expected = melFilters(bins: 8, windowSamples: windowSamples).map { filter in
            Float((log10(max(1e-10, zip(filter, power).map(*).reduce(0, +))) + 4) / 4)
        }
        #expect(worst(Array(row), expected) < 2e-6)
    }

    /// Slaney's filters straight from their definition.
    private func melFilters(bins: Int, windowSamples: Int) -> [[Double]] {
        func hz(_ mel: Double) -> Double { mel < 15 ? 200 * mel / 3 : 1000 * exp((mel - 15) * log(6.4) / 27) }
        let corners = (0...bins + 1).map { hz(45.245640471924965 * Double($0) / Double(bins + 1)) }
        return (0..<bins).map { i in
            (0...windowSamples / 2).map { bin in
                let f = Double(bin) * 16_000 / Double(windowSamples)
                let rise = (f - corners[i]) / (corners[i + 1] - corners[i])
                let fall = (corners[i + 2] - f) / (corners[i + 2] - corners[i + 1])
                return max(0, min(rise, fall)) * 2 / (corners[i + 2] - corners[i])
            }
        }
    }

    @Test func meetsTheCheckValuesOfASpeechClip() throws {
        let features = try features(wavSamples(at: URL(filePath: "\(RealData.samples)/jfk.wav")), frames: 3_000)
        // By the reference's formulas in float64.
        #expect(abs(try #require(features.min()) - -0.4857632) < 2e-6)
        #expect(abs(try #require(features.max()) - 1.5142368) < 2e-6)
        #expect(abs(features.reduce(0) { $0 + Double($1) } / Double(features.count) - -0.2420498) < 2e-6)
        let row = (500...502).map { features[$0 * 80 + 40] }
        #expect(worst(row, [0.0085231, 0.0811200, -0.2127847]) < 1e-5)
    }
}
