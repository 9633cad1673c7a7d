import Speech
import Testing

struct LoopGuardTests {
    @Test(arguments: 1...16) func findsALoopOfAnyPeriod(period: Int) {
        let run = Array(100..<100 + period)
        let tokens = [1, 2, 3] + (0..<max(4, 14 / period + 1)).flatMap { _ in run }
        #expect(LoopGuard.loopLength(tokens) == period)
    }

    @Test func aSpeakerMayRepeatHimself() {
        #expect(LoopGuard.loopLength([5, 9, 9, 9, 9]) == nil)  // no no no no
        #expect(LoopGuard.loopLength([1, 2, 3, 1, 2, 3, 1, 2, 3, 7]) == nil)
        #expect(LoopGuard.loopLength([]) == nil)
    }

    @Test func ordinaryTextCompressesLittle() {
        let text =
            "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
        #expect(LoopGuard.compressionRatio(text) < 2)
    }

    @Test func endlessRepetitionCompressesWell() {
        #expect(LoopGuard.compressionRatio(String(repeating: "I'm going to go. ", count: 20)) > 2.4)
        #expect(LoopGuard.compressionRatio("") == 1)
    }
}
