import Glibc
import Media
import TestSupport
import Testing

@testable import Graph

struct StreamClockTests {
    @Test func timeBeginsWithTheStart() {
        let manual = ManualClock()
        let clock = StreamClock(manual)
        manual.advance(by: .seconds(3))
        #expect(clock.now == .zero)
        clock.start()
        manual.advance(by: .milliseconds(250))
        #expect(clock.now == MediaTime(milliseconds: 250))
        clock.start()
        #expect(clock.now("microphone") == MediaTime(milliseconds: 250))
    }

    @Test func aFollowedSourceHasThePositionItReached() {
        let manual = ManualClock()
        let clock = StreamClock(manual)
        clock.follow("file")
        clock.start()
        manual.advance(by: .seconds(9))
        #expect(clock.now("file") == .zero)
        clock.advance("file", to: MediaTime(milliseconds: 700))
        clock.advance("file", to: MediaTime(milliseconds: 600))
        #expect(clock.now("file") == MediaTime(milliseconds: 700))
        #expect(clock.lag(of: "file", behind: MediaTime(milliseconds: 500)) == MediaTime(milliseconds: 200))
        #expect(clock.lag(of: "file", behind: MediaTime(milliseconds: 800)) == .zero)
        #expect(clock.lag(of: "other", behind: MediaTime(milliseconds: 8_000)) == MediaTime(milliseconds: 1_000))
    }

    @Test func sleepingEndsAtItsStreamTime() async throws {
        let manual = ManualClock()
        let clock = StreamClock(manual)
        manual.advance(by: .seconds(1))
        clock.start()
        async let sleep: Void = clock.sleep(until: MediaTime(milliseconds: 400))
        await manual.waitForSleepers()
        manual.advance(by: .milliseconds(400))
        try await sleep
        #expect(clock.now == MediaTime(milliseconds: 400))
    }

    @Test func aDriversTimeStampBecomesStreamTime() {
        let clock = StreamClock()
        clock.start()
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let stamp = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        let streamTime = clock.streamTime(monotonicNanoseconds: stamp)
        #expect(streamTime >= .zero && streamTime <= clock.now)
    }
}
