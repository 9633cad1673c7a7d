import Foundation
import Gemma
import Kernels
import Media
import Speech
import Stages
import Tokenizers

/// The live path of a Gemma: sound that comes in as from a microphone, partials every 500 ms, a final at the end.
///
/// The sound is noise, and what is said of it is made up: four tokens a second, as people speak, whatever the model would say.
/// Everything else is the daemon's own work: encoder, cache, drafts, commits and new beginnings.
struct LiveBench {
    private static let rateHz = 16_000
    private static let piece = 512
    /// Seconds into an utterance that figures are for.
    private static let places = [5, 10, 28]
    /// Soft tokens to a token of text: 6.25 and 4 a second.
    private static let textPerSound = 0.64
    private static let pauseMilliseconds = 300
    private static let endpointMilliseconds = 500

    let gemma: OpenedGemma
    let slice: String?
    let pool: ThreadPool

    func measure(into report: inout BenchReport) throws {
        let listener = try Listener(gemma, slice: slice, pool: pool)
        let seconds = try listener.seconds(Self.places.max()!)
        for place in Self.places {
            report.add(
                "live_s_per_s_at_\(place)", "live, work per second of sound, \(place) s in",
                .seconds(seconds[place - 1]))
        }
        report.add("live_s_per_s_worst", "live, the worst second", .seconds(seconds.max() ?? 0))
        for place in Self.places {
            let final = try listener.final(after: place)
            let early = Double(Self.endpointMilliseconds - Self.pauseMilliseconds) / 1_000
            report.add("final_work_s_at_\(place)", "final, its work, \(place) s in", .seconds(final.prepared))
            report.add(
                "final_latency_s_at_\(place)", "final, after the endpoint, \(place) s in",
                .seconds(max(0, final.prepared - early) + final.rest))
        }
    }

    /// One stream of utterances.
    private final class Listener {
        private let stream: GemmaAudioStream
        private let timing: GemmaAudioTiming
        private let transcriber: UtteranceTranscriber<GemmaRecogniser>
        private var random = UInt64(1)
        private var utterances = 0

        init(_ gemma: OpenedGemma, slice: String?, pool: ThreadPool) throws {
            let audio = try gemma.audio()
            (stream, timing) = (GemmaAudioEncoder(weights: audio, pool: pool).makeStream(), audio.timing)
            let chat = try gemma.chat()
            let end = chat.endTokens.min() ?? 1
            // Tokens that begin a word each; many, so that nothing looks like a loop.
            let words = Self.words(of: chat.tokenizer, count: 97)
            let recogniser = try GemmaRecogniser(
                name: gemma.name, decoder: GemmaDecoder(weights: gemma.text(slice: slice), pool: pool), chat: chat,
                isFloat: gemma.isFloat, hardEmbedding: gemma.hardEmbedding
            ) { _, place, sound in
                Double(place) < LiveBench.textPerSound * Double(sound) ? words[place % words.count] : end
            }
            transcriber = UtteranceTranscriber(
                recogniser: recogniser,
                configuration: .init(
                    partialInterval: MediaTime(milliseconds: 500), rule: .agreement(count: 2), anticipatesFinal: true),
                clock: .init(lag: { _ in .zero }, wall: { MonotonicTime.now }))
        }

        private static func words(of tokenizer: GemmaTokenizer, count: Int) -> [Int] {
            var words: [Int] = []
            for id in 0..<tokenizer.count where words.count < count {
                let bytes = tokenizer.bytes(of: id)
                if bytes.count > 2, bytes[0] == UInt8(ascii: " ") { words.append(id) }
            }
            return words
        }

        /// Work done in each second of an utterance.
        func seconds(_ count: Int) throws -> [Double] {
            try begin()
            return try (0..<count).map { _ in try BenchStopwatch.time { try hear(1_000) }.seconds }
        }

        /// Work for the final in the silence behind `seconds` of speech, and what is left behind the endpoint.
        func final(after seconds: Int) throws -> (prepared: Double, rest: Double) {
            try begin()
            try hear(seconds * 1_000 + LiveBench.pauseMilliseconds)
            let end = MediaTime(milliseconds: seconds * 1_000 + 200)
            let prepared = try BenchStopwatch.time { try take(.paused(end: end)) }.seconds
            try hear(LiveBench.endpointMilliseconds - LiveBench.pauseMilliseconds)
            let decided = MediaTime(milliseconds: seconds * 1_000 + LiveBench.endpointMilliseconds)
            let rest = try BenchStopwatch.time { try take(.ended(.endpoint, end: end, decidedAt: decided)) }.seconds
            return (prepared, rest)
        }

        private func begin() throws {
            utterances += 1
            stream.reset()
            try take(.began(start: .zero, onset: .zero))
        }

        private func hear(_ milliseconds: Int) throws {
            var left = milliseconds * LiveBench.rateHz / 1_000
            while left > 0 {
                let samples = (0..<min(left, LiveBench.piece)).map { _ in noise() }
                left -= samples.count
                stream.append(samples.span)
                while stream.advance() {}
                let rows = stream.takeTokens()
                let tokens = (0..<(rows?.rows ?? 0)).map {
                    HeardSound.Token(rows: rows!, row: $0, ready: samples.count)
                }
                try take(.samples(HeardSound(sampleCount: samples.count, tokens: tokens)))
            }
        }

        private func take(_ content: SpokenPiece<HeardSound>.Content) throws {
            _ = transcriber.take(SpokenPiece(UtteranceID(utterances), content))
            while try transcriber.work().more {}
        }

        private func noise() -> Float {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: random >> 32)) / Float(1 << 31) * 0.1
        }
    }
}

extension GemmaBench {
    /// What the live path of speech takes, and the memory of all of it.
    func measureLive(into report: inout BenchReport) throws {
        let gemma = try OpenedGemma(path, weights: weights, pool: pool, isQuiet: common.quiet)
        report.add("weights", "weights", .text(gemma.storedFormat))
        try LiveBench(gemma: gemma, slice: slice, pool: pool).measure(into: &report)
        report.add("peak_rss_bytes", "peak memory", .bytes(BenchStopwatch.peakResidentBytes))
    }
}
