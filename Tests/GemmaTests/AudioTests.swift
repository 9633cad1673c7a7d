import Foundation
import Gemma
import Kernels
import Signal
import TestSupport
import Testing

/// The audio encoder against transformers and against itself.
struct AudioTests {
    private let wave = HashSound.wave

    @Test func theWholeSoundEqualsTheReference() throws {
        let golden = try HashSound.golden()
        let tokens = HashSound.encoder().encode(wave.span)
        #expect(tokens.shape == golden["whole.tokens"].shape)
        #expect(worst(tokens.array, golden["whole.tokens"].floats) < 2e-5)
    }

    /// Its last token has zeros for a look-ahead.
    @Test func aSoundThatEndsWithinATokenEqualsTheReference() throws {
        let golden = try HashSound.golden()
        let cut = Array(wave.prefix(HashSound.cutSamples))
        #expect(worst(HashSound.encoder().encode(cut.span).array, golden["cut.tokens"].floats) < 2e-5)
    }

    @Test func hardEmbeddingsEqualTheReference() throws {
        let weights = HashSound.weights
        let hard = weights.hardEmbedding(id: weights.hardIDs.first!) + weights.hardEmbedding(id: weights.hardIDs.last!)
        #expect(worst(hard, try HashSound.golden()["hard"].floats) < 1e-5)
    }

    @Test(arguments: [false, true], [1, 7, 160, 1_600, 40_000]) func piecesEqualWhole(isQuantized: Bool, size: Int) {
        let encoder = HashSound.encoder(isQuantized ? HashSound.quantized : HashSound.weights)
        let pieces = feed(wave, into: encoder.makeStream()) { size }
        #expect(pieces.tokens == encoder.encode(wave.span).array)
    }

    @Test(arguments: [UInt64](1...4), [0, 1, 2_560, 5_000]) func randomPiecesEqualWhole(seed: UInt64, padding: Int) {
        var random = SplitMix64(seed: seed)
        let samples = Array(wave.prefix(Int.random(in: 0...wave.count, using: &random)))
        let encoder = HashSound.encoder(threads: 2)
        let whole = HashSound.encoder().encode(samples.span, paddingSamples: padding)
        for frames in [4, 5, 8, 64] {
            let pieces = feed(samples, into: encoder.makeStream(frames: frames), padding: padding) {
                Int.random(in: 1...3_000, using: &random)
            }
            #expect(pieces.tokens == whole.array)
        }
    }

    @Test func aTokenComesWithTheLastSampleItNeeds() {
        let stream = HashSound.encoder().makeStream()
        let times = feed(wave, into: stream) { 1 }.times
        let early = times.compactMap { $0 }
        #expect(early == early.indices.map { 2_560 * $0 + 1_472 } && early.count == 16)
        #expect(stream.tokenCount == times.count)
    }

    @Test func silenceBehindTheEndMakesAllOfItHeard() throws {
        let click = Array(repeating: Float(0), count: 14_500) + [0.9, -0.9]
        let quiet = [Float](repeating: 0, count: click.count)
        let encoder = HashSound.encoder()
        #expect(encoder.encode(click.span).array == encoder.encode(quiet.span).array)
        let heard = encoder.encode(click.span, paddingSamples: 2_560).array
        #expect(worst(heard, encoder.encode(quiet.span, paddingSamples: 2_560).array) > 1e-3)
    }

    @Test(arguments: [0, 1, 512, 513, 640, 1_024]) func shortSoundsHaveTheReferencesNumberOfTokens(count: Int) {
        let frames = FrameMelConfiguration().frames(ofSamples: count)
        let samples = Array(wave.prefix(count))
        let tokens = HashSound.encoder().encode(samples.span)
        #expect(tokens.shape == [(frames + 15) / 16, HashSound.textWidth])
    }

    @Test func streamsTakeTurnsWithinABlock() {
        let encoder = HashSound.encoder()
        let (first, second) = (encoder.makeStream(), encoder.makeStream(frames: 16))
        let other = Array(wave.reversed())
        first.append(wave.span)
        second.append(other.span)
        first.finish(paddingSamples: 0)
        second.finish(paddingSamples: 0)
        while first.advance() || second.advance() { second.advance() }
        #expect(first.takeTokens()?.array == encoder.encode(wave.span).array)
        #expect(second.takeTokens()?.array == encoder.encode(other.span).array)
    }

    @Test func aStreamThatWasResetBeginsAnew() {
        let stream = HashSound.encoder().makeStream()
        stream.append(wave.span)
        for _ in 0..<50 { stream.advance() }
        stream.reset()
        #expect(stream.tokenCount == 0 && stream.takeTokens() == nil && !stream.advance())
        #expect(feed(wave, into: stream) { 999 }.tokens == HashSound.encoder().encode(wave.span).array)
    }

    @Test func whatIsNoNumberCountsAsSilence() {
        var (broken, quiet) = (wave, wave)
        for (index, value) in [(100, Float.nan), (5_000, .infinity), (5_001, -.infinity)] {
            (broken[index], quiet[index]) = (value, 0)
        }
        let encoder = HashSound.encoder()
        #expect(encoder.encode(broken.span).array == encoder.encode(quiet.span).array)
    }

    /// The products' inputs are rounded to 8 bits too.
    @Test func eightBitWeightsStayNearTheReference() throws {
        let golden = try HashSound.golden()["whole.tokens"].floats
        let tokens = HashSound.encoder(HashSound.quantized).encode(wave.span).array
        let error = zip(tokens, golden).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        let power = golden.reduce(0.0) { $0 + Double($1 * $1) }
        #expect((error / power).squareRoot() < 0.03)
    }
}
