/// Owns the committed and the tentative text of one utterance and every rule about them:
///
/// - committed text only grows, by whole words;
/// - a word is committed when the stability rule says that more sound will not change it;
/// - the final begins with what was committed.
///
/// Models differ only in the `Hypothesis` they offer.
package struct StreamingTranscript: Sendable {
    /// When a word stands.
    package enum StabilityRule: Sendable, Equatable {
        /// `count` hypotheses in a row agree on it (Liu et al. 2020, LocalAgreement), its last word excepted.
        case agreement(count: Int)
        /// The model says so (Papi et al. 2023, AlignAtt).
        case model
        /// Both.
        case modelAndAgreement(count: Int)
    }

    package let rule: StabilityRule
    package private(set) var committed: [Word] = []
    package private(set) var tentative: [Word] = []
    package private(set) var revision = 0
    /// Texts of the last hypotheses, newest last; at most the rule's count.
    private var history: [[String]] = []

    package init(rule: StabilityRule) { self.rule = rule }

    package mutating func reset() { self = StreamingTranscript(rule: rule) }

    package var draft: Draft { Draft(committed: committed, tentative: tentative) }

    /// The committed words as shown: without the blank before the first one.
    package var committedText: String { Self.shown(committed) }

    /// The tentative words as shown, with their blank.
    package var tentativeText: String { tentative.map(\.text).joined() }

    /// Takes the hypothesis of a partial. Returns false if nothing changed for a reader.
    package mutating func absorb(_ hypothesis: Hypothesis) -> Bool {
        guard hypothesis.verdict == .speech, continues(hypothesis) else { return false }
        let (oldCommitted, oldTentative) = (committed.count, tentativeText)
        history.append(hypothesis.words.map(\.text))
        if history.count > rule.agreementCount { history.removeFirst(history.count - rule.agreementCount) }
        let stable = max(committed.count, stableCount(in: hypothesis))
        committed += hypothesis.words[committed.count..<stable]
        tentative = Array(hypothesis.words[stable...])
        guard committed.count != oldCommitted || tentativeText != oldTentative else { return false }
        revision += 1
        return true
    }

    /// Takes the hypothesis of the final: the words that stand at the end. Committed words stay whatever it says.
    package mutating func conclude(_ hypothesis: Hypothesis) -> [Word] {
        if continues(hypothesis) { committed = hypothesis.words }
        tentative = []
        return committed
    }

    /// Words as text, without the blank before the first.
    package static func shown(_ words: [Word]) -> String {
        let text = words.map(\.text).joined()
        return String(text.drop { $0 == " " })
    }

    private func continues(_ hypothesis: Hypothesis) -> Bool {
        hypothesis.words.count >= committed.count
            && zip(hypothesis.words, committed).allSatisfy { $0.text == $1.text }
    }

    private func stableCount(in hypothesis: Hypothesis) -> Int {
        if hypothesis.isSettled { return hypothesis.words.count }
        return switch rule {
        case .agreement: agreed
        case .model: hypothesis.stableWords ?? 0
        case .modelAndAgreement: min(agreed, hypothesis.stableWords ?? 0)
        }
    }

    /// Length of the prefix on which all remembered hypotheses agree, without a word that ends one of them: it may be cut.
    private var agreed: Int {
        guard history.count == rule.agreementCount, let first = history.first else { return 0 }
        let shortest = history.map(\.count).min() ?? 0
        var length = 0
        while length < shortest - 1, history.allSatisfy({ $0[length] == first[length] }) { length += 1 }
        return length
    }
}

extension StreamingTranscript.StabilityRule {
    fileprivate var agreementCount: Int {
        switch self {
        case .agreement(let count), .modelAndAgreement(let count): max(count, 1)
        case .model: 1
        }
    }
}
