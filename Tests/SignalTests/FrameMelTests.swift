import Foundation
import Signal
import TestSupport
import Testing

struct FrameMelTests {
    private static let samples: [Float] = {
        var random = SplitMix64(seed: 5)
        return random.floats(6_000, scale: 0.5)
    }()

    private func features(_ samples: [Float], _ configuration: FrameMelConfiguration) -> [Float] {
        var mel = FrameMel(configuration: configuration)
        mel.append(samples.span)
        mel.finish()
        return take(mel.framesReady, of: &mel)
    }

    private func take(_ count: Int, of mel: inout FrameMel) -> [Float] {
        var rows = [Float](repeating: 0, count: count * mel.configuration.melBins)
        var span = rows.mutableSpan
        mel.take(count, into: &span)
        return rows
    }

    /// The definition, bin by bin.
    private func frame(_ number: Int, of samples: [Float], _ c: FrameMelConfiguration) -> [Float] {
        let x = (0..<c.windowSamples).map { Double(samples[number * c.hopSamples + $0]) * c.inputScale }
        let y = x.indices.map { n -> Double in
            let emphasised = n == 0 ? (1 - c.preemphasis) * x[0] : x[n] - c.preemphasis * x[n - 1]
            let phase = 2 * Double.pi * (Double(n) + c.windowOffset) / Double(c.windowSamples)
            return emphasised * (0.5 - 0.5 * cos(phase))
        }
        let magnitudes = (0...c.fftSamples / 2).map { bin -> Double in
            let step = -2 * Double.pi * Double(bin) / Double(c.fftSamples)
            let re = y.indices.reduce(0.0) { $0 + y[$1] * cos(step * Double($1)) }
            let im = y.indices.reduce(0.0) { $0 + y[$1] * sin(step * Double($1)) }
            return (re * re + im * im).squareRoot()
        }
        let (low, high) = (2_595 * log10(1 + c.bandHz.lowerBound / 700), 2_595 * log10(1 + c.bandHz.upperBound / 700))
        let edges = (0...c.melBins + 1).map {
            700 * (pow(10, (low + (high - low) * Double($0) / Double(c.melBins + 1)) / 2_595) - 1)
        }
        return (0..<c.melBins).map { bin in
            let sum = magnitudes.indices.reduce(0.0) { sum, index in
                let hz = Double(index * c.sampleRateHz) / Double(c.fftSamples)
                let rise = (hz - edges[bin]) / (edges[bin + 1] - edges[bin])
                let fall = (edges[bin + 2] - hz) / (edges[bin + 2] - edges[bin + 1])
                return sum + magnitudes[index] * max(0, min(rise, fall))
            }
            var value = c.floorsLogarithm ? max(log(sum), c.floor) : log(max(sum, c.floor))
            if !c.mean.isEmpty { value -= c.mean[bin] }
            if !c.deviation.isEmpty { value /= c.deviation[bin] }
            return Float(value)
        }
    }

    private static let variants: [FrameMelConfiguration] = {
        let plain = FrameMelConfiguration()
        var loud = plain
        (loud.inputScale, loud.bandHz, loud.windowOffset) = (32_768, 125...7_500, 0.5)
        (loud.floor, loud.floorsLogarithm, loud.endMultiple) = (1e-6, true, 1)
        loud.mean = (0..<128).map { 6 + Double($0) / 60 }
        loud.deviation = (0..<128).map { 1 + Double($0) / 200 }
        var small = plain
        (small.windowSamples, small.hopSamples, small.fftSamples, small.melBins) = (400, 100, 400, 20)
        return [plain, loud, small]
    }()

    @Test(arguments: variants.indices) func framesFollowTheDefinition(variant: Int) {
        let configuration = Self.variants[variant]
        let rows = features(Self.samples, configuration)
        let bins = configuration.melBins
        for number in [0, 1, 6, 20] {
            let wanted = frame(number, of: Self.samples, configuration)
            let found = rows[number * bins..<(number + 1) * bins]
            #expect(zip(found, wanted).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test(arguments: chunkings) func piecesEqualWhole(chunk: Int?) {
        var mel = FrameMel(configuration: FrameMelConfiguration())
        var rows: [Float] = []
        for (index, piece) in pieces(Self.samples, of: chunk).enumerated() {
            mel.append(piece.span)
            if index % 3 != 2 { rows += take(mel.framesReady, of: &mel) }
        }
        mel.finish()
        rows += take(mel.framesReady, of: &mel)
        #expect(rows == features(Self.samples, mel.configuration))
    }

    /// One sample more than a frame uses must be there, after zeros up to a multiple of 128.
    @Test(arguments: [(0, 0), (384, 0), (512, 0), (513, 1), (640, 1), (672, 2), (6_000, 35)])
    func framesAreCountedAsByTheReference(samples: Int, frames: Int) {
        #expect(FrameMelConfiguration().frames(ofSamples: samples) == frames)
        #expect(features(Array(Self.samples.prefix(samples)), FrameMelConfiguration()).count == frames * 128)
    }

    @Test func silenceIsTheFloor() {
        var mel = FrameMel(configuration: FrameMelConfiguration())
        mel.finish(paddingSamples: 2_000)
        #expect(take(mel.framesReady, of: &mel).allSatisfy { $0 == Float(log(1e-5)) })
    }

    @Test func whatIsNoNumberCountsAsSilence() {
        var (broken, quiet) = (Self.samples, Self.samples)
        for (index, value) in [(3, Float.nan), (1_000, .infinity)] { (broken[index], quiet[index]) = (value, 0) }
        let configuration = FrameMelConfiguration()
        #expect(features(broken, configuration) == features(quiet, configuration))
    }

    @Test func aResetSoundBeginsAnew() {
        var mel = FrameMel(configuration: FrameMelConfiguration())
        mel.append(Self.samples.span)
        _ = take(5, of: &mel)
        mel.finish()
        mel.reset()
        #expect(mel.framesReady == 0 && mel.frameCount == nil && mel.sampleCount == 0)
        mel.append(Self.samples.span)
        mel.finish()
        #expect(take(mel.framesReady, of: &mel) == features(Self.samples, mel.configuration))
    }
}
