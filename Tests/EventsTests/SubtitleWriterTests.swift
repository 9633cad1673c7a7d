import Events
import Testing

struct SubtitleWriterTests {
    @Test func subRipCuesAreNumberedAndTimedWithCommas() {
        var writer = SubtitleWriter(format: .srt)
        #expect(writer.header == "")
        #expect(
            writer.cue(startMs: 0, endMs: 2_345, text: " Hello there. ")
                == "1\n00:00:00,000 --> 00:00:02,345\nHello there.\n\n")
        #expect(writer.cue(startMs: 3_723_004, endMs: 3_724_000, text: "Later").hasPrefix("2\n01:02:03,004 --> "))
    }

    @Test func webVTTHasAHeaderAndPoints() {
        var writer = SubtitleWriter(format: .vtt)
        #expect(writer.header == "WEBVTT\n\n")
        #expect(writer.cue(startMs: 10, endMs: 20, text: "Hi") == "1\n00:00:00.010 --> 00:00:00.020\nHi\n\n")
    }

    @Test func textCannotBreakOutOfItsCue() {
        var srt = SubtitleWriter(format: .srt)
        #expect(srt.cue(startMs: 0, endMs: 1, text: "a --> b\n\n\n7\r\nc").hasSuffix("\na → b\n7\nc\n\n"))
        var vtt = SubtitleWriter(format: .vtt)
        #expect(vtt.cue(startMs: 0, endMs: 1, text: "a --> <b> & c").hasSuffix("\na --&gt; &lt;b&gt; &amp; c\n\n"))
    }

    @Test func emptyTextIsNoCueAndTakesNoNumber() {
        var writer = SubtitleWriter(format: .srt)
        #expect(writer.cue(startMs: 0, endMs: 1, text: " \n ") == "")
        #expect(writer.cue(startMs: 0, endMs: 1, text: "x").hasPrefix("1\n"))
    }

    @Test func aCueNeverEndsBeforeItStarts() {
        var writer = SubtitleWriter(format: .srt)
        #expect(writer.cue(startMs: 500, endMs: 400, text: "x").hasPrefix("1\n00:00:00,500 --> 00:00:00,501\n"))
    }
}
