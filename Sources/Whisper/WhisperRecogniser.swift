package import Kernels
package import Speech
import Signal
import Tokenizers

/// Whisper behind `Recogniser`: one utterance of at most 30 s at a time, worked off in quanta.
///
/// ```
/// encode (a block a quantum) ─► keys and values ─► language ─► pass (a token a quantum) ─► next temperature? ─► hypothesis
/// ```
package final class WhisperRecogniser: Recogniser {
    private enum Phase {
        case idle
        case encoding
        case language
        case decoding(DecodingPass, temperature: Int)
    }

    private let model: WhisperModel
    private let options: WhisperOptions
    private let encoder: WhisperEncoder
    private let decoder: WhisperDecoder
    private let rules: LogitRules
    private let timing: WordTiming
    private var mel: LogMel
    private var phase = Phase.idle
    private var draft = Draft()
    private var isFinal = false
    private var language: String
    /// Loudest sample of the utterance.
    private var peak: Float = 0
    private var attempts: [DecodedWindow] = []

    package var modelName: String { model.name }
    package var defaultLanguage: String { options.language ?? "en" }

    /// - Throws: `WhisperError` if the model can't do what `options` ask.
    package init(model: WhisperModel, options: WhisperOptions, pool: ThreadPool) throws {
        if !model.special.isMultilingual {
            if options.task == .translate { throw WhisperError.englishOnly(model: model.name, wanted: "translation") }
            if let language = options.language, language != "en" {
                throw WhisperError.englishOnly(model: model.name, wanted: "language '\(language)'")
            }
        } else if let language = options.language, model.special.languages[language] == nil {
            throw WhisperError.unknownLanguage(language, nearest: ["en", "de", "sv", "fr", "es"])
        }
        (self.model, self.options) = (model, options)
        encoder = WhisperEncoder(model: model, pool: pool)
        decoder = WhisperDecoder(model: model, pool: pool)
        rules = LogitRules(model: model, timestamps: options.timestamps)
        timing = WordTiming(model: model)
        mel = LogMel(
            configuration: MelConfiguration(
                sampleRateHz: model.configuration.sampleRateHz, windowSamples: 400,
                hopSamples: model.configuration.hopSamples, melBins: model.configuration.melBins))
        language = options.language ?? "en"
    }

    /// Longest sound of one utterance, in samples.
    package var maxSamples: Int { model.configuration.audioPositions * model.configuration.positionSamples }

    package func reset() {
        mel.reset()
        peak = 0
        abandon()
        language = options.language ?? "en"
    }

    /// Appends sound; what exceeds `maxSamples` must not be given.
    package func append(_ samples: Span<Float>) {
        precondition(mel.sampleCount + samples.count <= maxSamples, "more than one window of sound")
        for index in samples.indices { peak = max(peak, abs(samples[index])) }
        mel.append(samples)
    }

    package func append(_ sound: [Float]) { append(sound.span) }

    package func begin(_ draft: Draft, samples: Int, isFinal: Bool) {
        precondition((0...mel.sampleCount).contains(samples), "\(samples) of \(mel.sampleCount) samples")
        (self.draft, self.isFinal) = (draft, isFinal)
        attempts = []
        // Only a final leaves sound out, and nothing is appended after it.
        mel.truncate(toSamples: samples)
        let frames = 2 * windowPositions
        encoder.begin(features: mel.window(frames: frames), frames: frames)
        phase = .encoding
    }

    package func abandon() {
        phase = .idle
        attempts = []
    }

    package func advance() throws -> Hypothesis? {
        switch phase {
        case .idle:
            preconditionFailure("no hypothesis was begun")
        case .encoding:
            guard encoder.advance() else { return nil }
            decoder.attend(to: encoder.output, positions: encoder.outputPositions)
            let known = options.language != nil || !model.special.isMultilingual || !draft.committed.isEmpty
            if known { startPass(temperature: 0) } else { phase = .language }
            return nil
        case .language:
            detectLanguage()
            startPass(temperature: 0)
            return nil
        case .decoding(let pass, let temperature):
            guard let window = pass.advance() else { return nil }
            attempts.append(window)
            if isFinal, needsFallback(window), temperature + 1 < options.temperatures.count {
                startPass(temperature: temperature + 1)
                return nil
            }
            phase = .idle
            return hypothesis(from: isFinal ? best(attempts) : window)
        }
    }

    /// Positions of the encoder that hold sound, rounded up.
    private var soundPositions: Int {
        let c = model.configuration
        return min((mel.sampleCount + c.positionSamples - 1) / c.positionSamples, c.audioPositions)
    }

    private var windowPositions: Int {
        let most = model.configuration.audioPositions
        switch isFinal ? options.window : options.partialWindow {
        case .full: return most
        case .trimmed(let margin, let step):
            return min((soundPositions + margin + step - 1) / step * step, most)
        }
    }

    /// Below −80 dB of full scale nobody speaks; of digital silence Whisper makes words.
    private static let faintestPeak: Float = 1e-4

    private func detectLanguage() {
        let logits = decoder.forward([model.special.startOfTranscript]).row(0)
        let best = model.special.languages.max { logits[$0.value] < logits[$1.value] }
        language = best?.key ?? "en"
        decoder.truncate(to: 0)
    }

    private func startPass(temperature index: Int) {
        let special = model.special
        var prompt = [special.startOfTranscript]
        if special.isMultilingual, let token = special.languages[language] {
            prompt += [token, options.task == .translate ? special.translate : special.transcribe]
        }
        if !options.timestamps { prompt.append(special.noTimestamps) }
        var forced = draft.committed.flatMap(\.tokens)
        if options.timestamps, !forced.isEmpty { forced.insert(special.timestampBegin, at: 0) }
        let temperature = options.temperatures[index]
        let guess = temperature == 0 && !options.timestamps ? draft.tentative.flatMap(\.tokens) : []
        let request = DecodingPass.Request(
            prompt: prompt, forced: forced, guess: guess, temperature: temperature,
            limit: forced.count + outputLimit, wantsNoSpeech: isFinal && index == 0)
        let pass = DecodingPass(decoder: decoder, special: special, rules: rules, request: request)
        phase = .decoding(pass, temperature: index)
    }

    /// Nobody says more than about a dozen tokens a second; the reference allows 224 a window.
    private var outputLimit: Int { min(model.configuration.textPositions / 2, 24 + soundPositions / 50 * 14) }

    private func text(of window: DecodedWindow) -> String {
        String(
            decoding: window.tokens.filter(model.special.isText).flatMap { model.tokenizer.bytes(of: $0) },
            as: UTF8.self)
    }

    private func isSilence(_ window: DecodedWindow) -> Bool {
        (attempts.first ?? window).noSpeechProbability > 0.6 && window.meanLogProbability < -1
    }

    private func needsFallback(_ window: DecodedWindow) -> Bool {
        if isSilence(window) { return false }
        return window.looped || window.meanLogProbability < -1 || LoopGuard.compressionRatio(text(of: window)) > 2.4
    }

    /// The first attempt that was accepted, else the likeliest that did not loop, else the first, cut before its loop.
    private func best(_ attempts: [DecodedWindow]) -> DecodedWindow {
        attempts.first { !needsFallback($0) }
            ?? attempts.filter { !$0.looped }.max { $0.meanLogProbability < $1.meanLogProbability }
            ?? attempts[0]
    }

    private func hypothesis(from window: DecodedWindow) -> Hypothesis {
        let words = timing.words(of: window, committed: draft.committed, soundPositions: soundPositions)
        let verdict: Hypothesis.Verdict =
            if words.isEmpty || peak < Self.faintestPeak || (isFinal && isSilence(window)) {
                .silence
            } else if window.looped, !isFinal || window.meanLogProbability < -1 {
                .loop
            } else {
                .speech
            }
        let limit = soundPositions - options.unstablePositions
        return Hypothesis(
            words: words, verdict: verdict,
            stableWords: timing.stableWords(
                words, of: window, before: limit, surety: options.stableConfidence),
            language: language, meanLogProbability: window.meanLogProbability)
    }
}
