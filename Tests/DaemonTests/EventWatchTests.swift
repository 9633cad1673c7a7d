import Daemon
import Events
import Testing

/// What is known of events that pass.
struct EventWatchTests {
    private let sink = RecordingSink()

    private func partial(_ utt: Int, _ committed: String) -> EventBody {
        .transcriptPartial(
            PartialTranscript(
                utt: utt, rev: 1, committed: committed, tentative: "", startMs: 0, endMs: 0, lagMs: 0))
    }

    @Test func `closing ends what is open with what was shown of it, and then nothing passes`() {
        let watch = EventWatch(sink)
        for utt in 1...3 { watch.emit(.speechStarted(utt: utt, atMs: 0), src: "desk") }
        watch.emit(partial(1, "It was"), src: "desk")
        watch.emit(.transcriptDiscarded(utt: 2, reason: .silence), src: "desk")
        #expect(watch.open(of: "desk") == [1, 3])
        #expect(watch.open(of: "hall") == [])
        let before = sink.bodies.count
        watch.close()
        watch.close()
        watch.emit(partial(1, "It was the"), src: "desk")
        #expect(
            Array(sink.bodies.dropFirst(before)) == [
                .transcriptDiscarded(utt: 1, reason: .shutdown, committed: "It was"),
                .transcriptDiscarded(utt: 3, reason: .shutdown)
            ])
        #expect(sink.sources.last == "desk")
    }

    @Test func `losses and absences are counted by source`() {
        let watch = EventWatch(sink)
        watch.emit(.deviceOverrun(lostMs: 40, atMs: 0), src: "desk")
        watch.emit(.deviceLost(message: "gone", atMs: 0), src: "desk")
        #expect(watch.isAway("desk") && !watch.isAway("hall"))
        watch.emit(.deviceRestored(lostMs: 2_000, atMs: 0), src: "desk")
        #expect(!watch.isAway("desk"))
        let losses = watch.losses(of: "desk")
        #expect(losses.overruns == 1 && losses.lostMs == 2_040)
    }
}
