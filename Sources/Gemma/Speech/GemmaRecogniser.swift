import Kernels
import Layers
package import Media
package import Speech
import Tokenizers

/// Gemma 3n behind `Recogniser`: the tokens of an utterance go into the decoder's cache as they come, and each hypothesis is a
/// trial continuation.
///
/// ```
/// cache:  instruction │ sound heard so far ││ end of the turn │ words that stand │ words to be checked │ new words
///         kept for all utterances │ kept    ││ one batch: keys and values only ─────┤ logits             │ a step each
///                                           └─ truncated back to here behind each hypothesis
/// ```
/// Sound stands before the words, so a hypothesis costs more the longer the utterance: at a pause that comes `anchorAfter` into
/// it, or where speech never pauses, the words so far are left standing and sound and words before are forgotten.
package final class GemmaRecogniser: Recogniser {
    package struct Options: Sendable {
        package var task = GemmaSpeechTask.transcribe()
        /// Sound after which a pause makes a new beginning.
        package var anchorAfter = MediaTime(milliseconds: 8_000)
        /// Sound after which one is made in the midst of speech.
        package var longest = MediaTime(milliseconds: 12_000)
        /// Sound kept then.
        package var overlap = MediaTime(milliseconds: 4_000)

        package init() {}

        /// Sound that comes as a whole is taken as a whole.
        package static func whole(_ task: GemmaSpeechTask) -> Options {
            var options = Options()
            options.task = task
            options.longest = MediaTime(milliseconds: 60_000)
            return options
        }
    }

    /// Chooses tokens where a test or a measurement does not want the model's own.
    ///
    /// `place` counts the answer's tokens behind the last new beginning, `sound` the soft tokens there.
    package typealias Chooser = (_ logits: Span<Float>, _ place: Int, _ sound: Int) -> Int

    package let modelName: String
    package var defaultLanguage: String { options.task.language }
    package let maxSamples = 30 * GemmaRecogniser.rateHz

    private static let rateHz = 16_000
    /// A token belongs to the sound before a place if it hears at least half of its own 160 ms there.
    private static let halfToken = 1_280
    /// More waiting tokens than this are worked in without a hypothesis.
    private static let mostWaiting = 16
    /// Tokens of an answer: what nobody says in so much sound is a loop.
    private static let answerTokensPerToken = 3

    private let options: Options
    private let decoder: GemmaDecoder
    private let prompt: GemmaSpeechPrompt
    private let state: GemmaState
    private let endTokens: Set<Int>
    private let words: GemmaWords
    private let choose: Chooser
    private let logits: GemmaLogits

    /// Tokens of the sound since the last new beginning; the first `cached` are in the cache. `ready` counts from the
    /// beginning of the utterance.
    private var tokens: [HeardSound.Token] = []
    private var cached = 0
    /// Samples of the utterance so far, and where the last new beginning is.
    private var heard = 0
    private var anchorSample = 0
    /// Words before the last new beginning.
    private var anchored = 0
    /// By word of the utterance: how much sound was heard when it was first thought of.
    private var firstHeard: [Int] = []
    private var phase = Phase.idle

    private enum Phase {
        case idle
        case listening(GemmaRun, tokens: Int)
        case asked(Question)
        case reading(GemmaRun, Question, guess: [Int])
        case answering(Question, GemmaDraftedAnswer)
    }

    private struct Question {
        var draft: Draft
        var samples: Int
        var isFinal: Bool
        /// How many of the tokens it is about.
        var tokens = 0
    }

    /// - Parameters:
    ///   - isFloat: Keys and values in 32 bits, not 16.
    ///   - hardEmbedding: Of an id behind the text vocabulary: [width].
    /// - Throws: `GemmaError` if the instruction does not fit.
    package init(
        name: String, decoder: GemmaDecoder, chat: GemmaChat, options: Options = Options(),
        isFloat: Bool = false, hardEmbedding: (Int) throws -> [Float], choose: Chooser? = nil
    ) throws {
        (modelName, self.decoder, self.options) = (name, decoder, options)
        prompt = try GemmaSpeechPrompt(options.task, chat: chat, hardEmbedding: hardEmbedding)
        endTokens = chat.endTokens
        words = GemmaWords(tokenizer: chat.tokenizer)
        self.choose = choose ?? { logits, _, _ in greedy(logits) }
        logits = choose == nil ? .largest : .all
        var stateOptions = GemmaStateOptions()
        stateOptions.positions = min(decoder.config.positions, prompt.prefix.count + 2_048)
        stateOptions.slack = 1_024
        if isFloat { stateOptions.storage = .float32 }
        state = decoder.makeState(stateOptions)
        try decoder.prefill(prompt.prefix, state: state, logitRows: 0)
    }

    package func reset() {
        phase = .idle
        (tokens, cached, heard, anchorSample, anchored, firstHeard) = ([], 0, 0, 0, 0, [])
        state.truncate(to: prompt.prefix.count)
    }

    package func append(_ sound: HeardSound) {
        tokens += sound.tokens.map { $0.moved(by: heard) }
        heard += sound.sampleCount
    }

    package func listen() throws -> Bool {
        switch phase {
        case .listening(let run, let count):
            guard run.advance() else { return true }
            cached += count
            phase = .idle
            return false
        default:
            guard tokens.count - cached >= Self.mostWaiting else { return false }
            let new = tokens.count - cached
            phase = .listening(
                try decoder.begin(prompt.sound(tokens[cached...]), state: state, logitRows: 0), tokens: new)
            return true
        }
    }

    package func begin(_ draft: Draft, samples: Int, isFinal: Bool) {
        abandon()
        phase = .asked(Question(draft: draft, samples: samples, isFinal: isFinal))
    }

    package func abandon() {
        phase = .idle
        state.truncate(to: prompt.prefix.count + cached)
    }

    package func advance() throws -> Hypothesis? {
        switch phase {
        case .idle, .listening: preconditionFailure("no hypothesis was begun")
        case .asked(let question): return try start(question)
        case .reading(let run, let question, let guess):
            guard run.advance() else { return nil }
            cached = question.tokens
            let forced = question.draft.committed.dropFirst(anchored).reduce(0) { $0 + $1.tokens.count }
            let answer = GemmaDraftedAnswer(
                guess: guess, state: state, limit: guess.count + Self.answerTokensPerToken * question.tokens + 16,
                endTokens: endTokens, logits: logits,
                choose: { [choose] logits, index in choose(logits, forced + index, question.tokens) })
            phase = .answering(question, answer)
            return answer.isFinished ? conclude(question, answer) : nil
        case .answering(let question, var answer):
            try answer.step(decoder, state)
            phase = .answering(question, answer)
            return answer.isFinished ? conclude(question, answer) : nil
        }
    }

    /// Lets go of what lies before a new beginning, then reads what is new.
    private func start(_ asked: Question) throws -> Hypothesis? {
        var question = asked
        if question.samples - anchorSample >= options.longest.samples(rateHz: Self.rateHz) {
            beginAnew(question)
        }
        question.tokens = tokens.prefix { $0.ready - Self.halfToken <= question.samples }.count
        if question.tokens == 0 {
            phase = .idle
            return hypothesis(question, GemmaDraftedAnswer.nothing)
        }
        if question.tokens < cached {
            cached = question.tokens
            state.truncate(to: prompt.prefix.count + cached)
        }
        var text = prompt.sound(tokens[cached..<question.tokens])
        text.append(prompt.tail)
        text.append(question.draft.committed.dropFirst(anchored).flatMap(\.tokens))
        let guess = Array(question.draft.tentative.flatMap(\.tokens).prefix(decoder.blockRows - 1))
        text.append(guess)
        phase = .reading(
            try decoder.begin(text, state: state, logitRows: guess.count + 1, logits: logits), question, guess: guess)
        return nil
    }

    /// A new beginning in the midst of speech: with the last of the sound, and all of it that no word stands for yet.
    private func beginAnew(_ question: Question) {
        let committed = question.draft.committed.count
        var place = question.samples - options.overlap.samples(rateHz: Self.rateHz)
        // A word is thought of within a second of being spoken.
        if committed < firstHeard.count { place = min(place, firstHeard[committed] - Self.rateHz) }
        guard place > anchorSample else { return }
        // Words first thought of after the place have their sound behind it.
        let kept = firstHeard.firstIndex { $0 > place } ?? firstHeard.count
        move(to: place, words: max(anchored, min(kept, committed)))
    }

    private func conclude(_ question: Question, _ answer: GemmaDraftedAnswer) -> Hypothesis {
        abandon()
        return hypothesis(question, answer)
    }

    private func hypothesis(_ question: Question, _ answer: GemmaDraftedAnswer) -> Hypothesis {
        let committed = question.draft.committed
        var all = committed
        var spelled = words.split(answer.ids)
        // The answer's first word has no blank; as the first behind words of an earlier beginning it needs one.
        if committed.count <= anchored { spelled.first.map { spelled[0].text = words.spaced($0.text) } }
        let from = committed.last?.end ?? MediaTime(samples: anchorSample, rateHz: Self.rateHz)
        let length = max(.zero, MediaTime(samples: question.samples, rateHz: Self.rateHz) - from)
        for (index, word) in spelled.enumerated() {
            // The model tells no times: words share the time that is left evenly.
            func place(_ number: Int) -> MediaTime {
                from + MediaTime(nanoseconds: length.nanoseconds * Int64(number) / Int64(spelled.count))
            }
            let known = question.draft.tentative.indices.contains(index) ? question.draft.tentative[index] : nil
            let confidence = known.flatMap { $0.tokens == word.tokens ? $0.confidence : nil }
            all.append(
                Word(
                    text: word.text, tokens: word.tokens, start: place(index), end: place(index + 1),
                    confidence: confidence ?? answer.confidence))
        }
        firstHeard.removeLast(max(0, firstHeard.count - all.count))
        firstHeard += Array(repeating: question.samples, count: all.count - firstHeard.count)
        let verdict: Hypothesis.Verdict = all.isEmpty ? .silence : answer.isLoop && !question.isFinal ? .loop : .speech
        return Hypothesis(
            words: all, verdict: verdict, stableWords: nil, language: options.task.language,
            meanLogProbability: answer.meanLogProbability)
    }

    package func anchor(_ hypothesis: Hypothesis, samples: Int) -> Bool {
        guard samples - anchorSample >= options.anchorAfter.samples(rateHz: Self.rateHz) else { return false }
        move(to: samples, words: hypothesis.words.count)
        return true
    }

    /// A new beginning at `sample`, behind the first `words` words.
    private func move(to sample: Int, words: Int) {
        tokens.removeAll { $0.ready - Self.halfToken <= sample }
        (cached, anchorSample, anchored) = (0, sample, words)
        state.truncate(to: prompt.prefix.count)
    }
}

/// The most probable token; of equals the lowest.
func greedy(_ logits: Span<Float>) -> Int {
    var sampler = Sampler.greedy
    return sampler.next(logits)
}
