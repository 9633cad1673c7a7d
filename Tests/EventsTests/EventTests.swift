import Events
import Testing

struct EventTests {
    private let partial = PartialTranscript(
        utt: 3, rev: 2, committed: "And so", tentative: " my fellow", startMs: 300, endMs: 1_900, lagMs: 120)
    private let final = FinalTranscript(
        utt: 3, text: "And so my fellow Americans", startMs: 300, endMs: 2_400, language: "en", confidence: 0.91234,
        words: [.init(text: "And", startMs: 300, endMs: 500, confidence: 0.5)], model: "whisper-tiny.en",
        latencyMs: 210)

    private func wire(_ body: EventBody) -> String {
        Event(seq: 17, time: Timestamp(milliseconds: 1_772_352_930_042), src: "microphone", body: body).wire.jsonText
    }

    private let head = #""seq":17,"ts":"2026-03-01T08:15:30.042Z","src":"microphone""#

    @Test func aPartialHasTheMembersOfTheProtocol() {
        #expect(
            wire(.transcriptPartial(partial)) == #"{"event":"transcript.partial",\#(head),"utt":3,"rev":2,"#
                + #""committed":"And so","tentative":" my fellow","start_ms":300,"end_ms":1900,"lag_ms":120}"#)
    }

    @Test func aFinalHasTheMembersOfTheProtocol() {
        #expect(
            wire(.transcriptFinal(final)) == #"{"event":"transcript.final",\#(head),"utt":3,"#
                + #""text":"And so my fellow Americans","start_ms":300,"end_ms":2400,"language":"en","#
                + #""confidence":0.912,"words":[{"word":"And","start_ms":300,"end_ms":500,"confidence":0.5}],"#
                + #""model":"whisper-tiny.en","latency_ms":210}"#)
    }

    @Test(arguments: [
        (EventBody.speechStarted(utt: 1, atMs: 40), #""event":"speech.started""#, #""utt":1,"at_ms":40}"#),
        (.speechStopped(utt: 1, atMs: 90, cause: .end), #""event":"speech.stopped""#, #""at_ms":90,"cause":"end"}"#),
        (
            .transcriptDiscarded(utt: 1, reason: .lowConfidence), #""event":"transcript.discarded""#,
            #""utt":1,"reason":"low_confidence"}"#
        ),
        (
            .transcriptDiscarded(utt: 1, reason: .loop, committed: "a"), #""event":"transcript.discarded""#,
            #""reason":"loop","committed":"a"}"#
        ),
        (.deviceLost(message: "unplugged", atMs: 5), #""event":"device.lost""#, #""message":"unplugged","at_ms":5}"#),
        (.deviceRestored(lostMs: 7, atMs: 5), #""event":"device.restored""#, #""lost_ms":7,"at_ms":5}"#),
        (.deviceOverrun(lostMs: 7, atMs: 5), #""event":"device.overrun""#, #""lost_ms":7,"at_ms":5}"#),
        (.modelProgress(model: "m", done: 1, total: 2), #""event":"model.progress""#, #""done":1,"total":2}"#),
        (.modelReady(model: "m", loadMs: 3), #""event":"model.ready""#, #""model":"m","load_ms":3}"#),
        (.stats(["dropped": 0]), #""event":"stats""#, #""dropped":0}"#)
    ])
    func everyEventHasItsNameAndMembers(body: EventBody, start: String, end: String) {
        #expect(wire(body).hasPrefix("{" + start + "," + head + ","))
        #expect(wire(body).hasSuffix(end))
    }

    @Test func transcriptsReadBackFromTheWire() throws {
        let message = try JSONValue(parsing: wire(.transcriptPartial(partial)))
        #expect(TranscriptUpdate(wire: message) == .partial(partial))
        var rounded = final
        rounded.confidence = 0.912
        #expect(TranscriptUpdate(wire: try JSONValue(parsing: wire(.transcriptFinal(final)))) == .final(rounded))
        #expect(TranscriptUpdate(wire: try JSONValue(parsing: wire(.speechStarted(utt: 1, atMs: 0)))) == nil)
        #expect(TranscriptUpdate(wire: ["event": "transcript.final", "utt": "three"]) == nil)
    }

    @Test func timesAreUTCWithMilliseconds() {
        #expect(Timestamp(milliseconds: 0).description == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(milliseconds: 951_782_399_999).description == "2000-02-28T23:59:59.999Z")
        #expect(Timestamp(milliseconds: 951_782_400_000).description == "2000-02-29T00:00:00.000Z")
    }
}
