import Foundation
import Gemma
import Kernels

extension GemmaBench {
    private static let runs = 3
    private static let rateHz = 16_000

    /// What a Gemma takes to hear and to see; nothing of a model that has the text alone.
    ///
    /// Loaded when the text model's figures are there, so that these have no part of its memory.
    func measureEncoders(of gemma: OpenedGemma, into report: inout BenchReport) throws {
        if gemma.model.hasAudio { try measureAudio(gemma, into: &report) }
        if gemma.model.hasVision { try measurePictures(gemma, into: &report) }
        guard gemma.model.hasAudio || gemma.model.hasVision else { return }
        report.add(
            "peak_rss_with_encoders_bytes", "peak memory with encoders", .bytes(BenchStopwatch.peakResidentBytes))
    }

    private func measureAudio(_ gemma: OpenedGemma, into report: inout BenchReport) throws {
        let (seconds, loaded) = try BenchStopwatch.time { try gemma.audio() }
        report.add("audio_load_s", "audio encoder, load", .seconds(seconds))
        let encoder = GemmaAudioEncoder(weights: loaded, pool: pool)
        // What it is has no part in how long it takes.
        let sound = (0..<10 * Self.rateHz).map { 0.1 * sin(Float($0) * 0.1) }
        let whole = BenchStopwatch.median(of: Self.runs) { _ = encoder.encode(sound.span) }
        report.add("audio_encoder_10s_s", "audio encoder, 10 s as a whole", .seconds(whole))
        let stream = encoder.makeStream()
        let streamed = BenchStopwatch.median(of: Self.runs) {
            stream.reset()
            for piece in 0..<100 {
                let samples = Array(sound[piece * 1_600..<(piece + 1) * 1_600])
                stream.append(samples.span)
                while stream.advance() {}
                _ = stream.takeTokens()
            }
        }
        report.add("audio_encoder_s_per_s", "audio encoder, a second as it arrives", .seconds(streamed / 10))
        report.add("audio_state_bytes", "audio encoder, state of a stream", .bytes(stream.stateByteCount))
    }
}
