import Signal
import Testing
import TestSupport

import func Glibc.sin

struct ResamplerTests {
    private func resampled(_ samples: [Float], from inputRateHz: Int, to outputRateHz: Int = 16_000, chunk: Int? = nil)
        throws -> [Float]
    {
        var resampler = try Resampler(inputRateHz: inputRateHz, outputRateHz: outputRateHz)
        var output: [Float] = []
        for piece in pieces(samples, of: chunk) { output += resampler.step(piece) }
        return output + resampler.finish()
    }

    private func tone(_ frequencyHz: Double, rateHz: Int, count: Int, amplitude: Double = 0.5) -> [Float] {
        (0..<count).map { Float(amplitude * sin(2 * .pi * frequencyHz * Double($0) / Double(rateHz))) }
    }

    @Test(arguments: [8_000, 11_025, 22_050, 44_100, 48_000, 96_000], chunkings)
    func piecesEqualWhole(rateHz: Int, chunk: Int?) throws {
        var random = SplitMix64(seed: UInt64(rateHz))
        let samples = random.floats(60_013)
        #expect(try resampled(samples, from: rateHz, chunk: chunk) == resampled(samples, from: rateHz))
    }

    @Test(arguments: [1_000, 8_000, 12_345, 22_050, 44_100, 48_000, 192_000, 768_000], [0, 1, 2, 159, 4_801, 44_100])
    func lengthIsThatOfTheInputInSeconds(rateHz: Int, count: Int) throws {
        let expected = Int((Double(count) * 16_000 / Double(rateHz)).rounded())
        #expect(try resampled(Array(repeating: 0.25, count: count), from: rateHz).count == expected)
    }

    @Test(arguments: [8_000, 22_050, 44_100, 48_000, 96_000])
    func toneKeepsItsPlaceAndLevel(rateHz: Int) throws {
        let output = try resampled(tone(440, rateHz: rateHz, count: rateHz), from: rateHz)
        let expected = tone(440, rateHz: 16_000, count: 16_000)
        let worst = zip(output, expected).dropFirst(800).dropLast(800).map { abs($0 - $1) }.max()
        #expect(try #require(worst) < 0.001)
    }

    @Test(arguments: [44_100, 48_000], [8_800.0, 10_000, 15_560, 19_000])
    func soundAboveTheNewNyquistFrequencyVanishes(rateHz: Int, frequencyHz: Double) throws {
        let output = try resampled(tone(frequencyHz, rateHz: rateHz, count: rateHz), from: rateHz)
        let middle = output.dropFirst(1_000).dropLast(1_000)
        let power = middle.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(middle.count)
        #expect(power < 0.125 * 1e-8)  // 80 dB below a tone of amplitude 0.5
    }

    @Test(arguments: chunkings)
    func equalRatesPassUntouched(chunk: Int?) throws {
        var random = SplitMix64(seed: 7)
        let samples = random.floats(5_000)
        #expect(try resampled(samples, from: 16_000, chunk: chunk) == samples)
    }

    @Test func resetStartsAFreshStream() throws {
        var random = SplitMix64(seed: 8)
        let samples = random.floats(9_999)
        var resampler = try Resampler(inputRateHz: 44_100, outputRateHz: 16_000)
        _ = resampler.step(random.floats(12_345)) + resampler.finish()
        resampler.reset()
        let output = resampler.step(samples) + resampler.finish()
        #expect(try output == resampled(samples, from: 44_100))
    }

    @Test(arguments: [-1, 0, 1, 999, 768_001, 4_294_967_295])
    func absurdRatesAreRefused(rateHz: Int) {
        let expected = SignalError.rateOutOfRange(rateHz: rateHz, accepted: 1_000...768_000)
        #expect(throws: expected) { _ = try Resampler(inputRateHz: rateHz, outputRateHz: 16_000) }
        #expect(throws: expected) { _ = try Resampler(inputRateHz: 16_000, outputRateHz: rateHz) }
        #expect("\(expected)".hasSuffix("Use a rate of 1000 to 768000 Hz."))
    }
}
