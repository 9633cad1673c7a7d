import Kernels

/// Which tokens may come next (section 6 of the format notes; `ApplyTimestampRules` and the suppressions of the reference).
struct LogitRules: Sendable {
    private let special: SpecialTokens
    private let always: [Int]
    private let atBegin: [Int]
    let timestamps: Bool

    init(model: WhisperModel, timestamps: Bool) {
        special = model.special
        self.timestamps = timestamps
        // Language tokens are in no list of the checkpoint, and nothing else keeps them out.
        always = model.configuration.suppressed + model.special.languages.values + [model.special.noTimestamps]
        atBegin = model.configuration.suppressedAtBegin
    }

    /// Masks `logits` [vocabulary] with −∞ where a token may not follow `output`, the tokens after the prompt.
    func apply(to logits: inout MutableSpan<Float>, after output: [Int]) {
        let masked = -Float.infinity
        for token in always { logits[token] = masked }
        if output.isEmpty { for token in atBegin { logits[token] = masked } }
        let (begin, end) = (special.timestampBegin, logits.count)
        guard timestamps else {
            for token in begin..<end { logits[token] = masked }
            return
        }
        maskPairs(&logits, output)
        if output.isEmpty {
            for token in 0..<begin { logits[token] = masked }
            for token in (begin + 51)..<end { logits[token] = masked }  // at most 1.0 s after the start
        }
        preferTimestamp(&logits)
    }

    /// Timestamps come in pairs, but for one right before the end; they never decrease.
    private func maskPairs(_ logits: inout MutableSpan<Float>, _ output: [Int]) {
        let masked = -Float.infinity
        let begin = special.timestampBegin
        guard let last = output.last else { return }
        let lastIsTimestamp = special.isTimestamp(last)
        let previousIsTimestamp = output.count < 2 || special.isTimestamp(output[output.count - 2])
        if lastIsTimestamp, previousIsTimestamp {
            for token in begin..<logits.count { logits[token] = masked }
        } else if lastIsTimestamp {
            for token in 0..<special.endOfText { logits[token] = masked }
        }
        if let latest = output.last(where: special.isTimestamp) {
            let floor = lastIsTimestamp && !previousIsTimestamp ? latest : latest + 1
            if floor > begin { for token in begin..<min(floor, logits.count) { logits[token] = masked } }
        }
    }

    /// If all timestamps together are likelier than the best single text token, one of them is taken.
    private func preferTimestamp(_ logits: inout MutableSpan<Float>) {
        let begin = special.timestampBegin
        var bestText = -Float.infinity
        for token in 0..<begin where logits[token] > bestText { bestText = logits[token] }
        let sum = logSumExp(logits.span.extracting(begin..<logits.count))
        guard sum > bestText else { return }
        for token in 0..<begin { logits[token] = -Float.infinity }
    }
}
