import Events
import Testing

struct TerminalTranscriptTests {
    private func partial(_ committed: String, _ tentative: String, utt: Int = 1) -> TranscriptUpdate {
        .partial(
            PartialTranscript(
                utt: utt, rev: 1, committed: committed, tentative: tentative, startMs: 0, endMs: 0, lagMs: 0))
    }

    private func final(_ text: String, utt: Int = 1) -> TranscriptUpdate {
        .final(
            FinalTranscript(
                utt: utt, text: text, startMs: 0, endMs: 0, language: "en", confidence: 1, model: "m", latencyMs: 0))
    }

    @Test func committedTextIsPlainAndTentativeTextDim() {
        var view = TerminalTranscript(styled: true)
        #expect(view.show(partial("One", " two"), columns: 80) == "\rOne\u{1B}[2m two\u{1B}[0m\u{1B}[K")
        #expect(view.show(partial("One two", ""), columns: 80) == "\rOne two\u{1B}[K")
    }

    @Test func withoutStyleThereAreNoColours() {
        var view = TerminalTranscript(styled: false)
        #expect(view.show(partial("One", " two"), columns: 80) == "\rOne two\u{1B}[K")
    }

    @Test func aFinalStaysAndAnotherUtteranceGoesOnBelow() {
        var view = TerminalTranscript(styled: false)
        _ = view.show(partial("One", ""), columns: 80)
        _ = view.show(partial("Three", "", utt: 2), columns: 80)
        #expect(view.show(final(" One two."), columns: 80) == "\rOne two.\u{1B}[K\n\rThree\u{1B}[K")
        #expect(view.show(.discarded(utt: 2), columns: 80) == "\r\u{1B}[K")
        #expect(view.wipe() == "")
    }

    @Test func aSceneIsALineAboveTheOneThatIsRedrawn() {
        var view = TerminalTranscript(styled: true)
        #expect(view.show(line: "[camera] mug", columns: 80) == "\r\u{1B}[2m[camera] mug\u{1B}[0m\u{1B}[K\n")
        _ = view.show(partial("One", " two"), columns: 80)
        #expect(
            view.show(line: "[camera] \u{7}mug", columns: 80)
                == "\r\u{1B}[2m[camera]  mug\u{1B}[0m\u{1B}[K\n\rOne\u{1B}[2m two\u{1B}[0m\u{1B}[K")
        let plain = TerminalTranscript(styled: false)
        #expect(plain.show(line: "[camera] mug", columns: 80) == "\r[camera] mug\u{1B}[K\n")
    }

    @Test func aLongPartialShowsItsTailInOneRow() {
        var view = TerminalTranscript(styled: false)
        #expect(view.show(partial("abcdefgh", " ij"), columns: 8) == "\r…fgh ij\u{1B}[K")
        var styled = TerminalTranscript(styled: true)
        #expect(styled.show(partial("abcdefgh", " ij"), columns: 5) == "\r…\u{1B}[2m ij\u{1B}[0m\u{1B}[K")
    }

    @Test func wideAndCombiningCharactersAreMeasured() {
        #expect(TextWidth.columns(of: "漢字") == 4)
        #expect(TextWidth.columns(of: "e\u{301}a") == 2)
        #expect(TextWidth.columns(of: "👩‍👩‍👧") == 2)
        #expect(TextWidth.columns(of: "한글") == 4)
        #expect(TextWidth.tail(of: "a漢字", columns: 3) == "字")
        #expect(TextWidth.tail(of: "abc", columns: 3) == "abc")
    }

    @Test func aTranscriptCannotSteerTheTerminal() {
        var view = TerminalTranscript(styled: false)
        #expect(view.show(final("a\u{1B}[2Jb\r\nc"), columns: 80) == "\ra [2Jb  c\u{1B}[K\n\r\u{1B}[K")
    }
}
