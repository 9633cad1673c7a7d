import Events
import Media
import Stages
import Synchronization
import Testing

struct LoadPolicyTests {
    private func time(_ milliseconds: Int) -> MediaTime { MediaTime(milliseconds: milliseconds) }

    private func policy(_ offered: [LoadPolicy.Measure] = LoadPolicy.Measure.allCases) -> LoadPolicy {
        var policy = LoadPolicy()
        offered.forEach { policy.offer($0) }
        return policy
    }

    @Test func measuresComeInOrderWhileSpeechIsLate() {
        var policy = policy()
        var taken: [(at: Int, measures: [LoadPolicy.Measure])] = []
        for at in stride(from: 0, through: 10_000, by: 500) where policy.advance(lag: time(2_500), at: time(at)) {
            taken.append((at, policy.measures))
        }
        #expect(taken.map(\.at) == [0, 2_000, 4_000])
        #expect(taken.map(\.measures) == [[.scenes], [.scenes, .partials], [.scenes, .partials, .slice]])
    }

    @Test func theyGoInReverseOnceThereIsRoomForAWhile() {
        var policy = policy()
        for at in [0, 2_000] { _ = policy.advance(lag: time(3_000), at: time(at)) }
        #expect(policy.level == 2)
        var changes: [Int] = []
        for at in stride(from: 2_500, through: 60_000, by: 500) where policy.advance(lag: time(100), at: time(at)) {
            changes.append(at)
        }
        #expect(policy.level == 0)
        #expect(changes == [17_500, 32_500])
    }

    @Test func aSpellOfLatenessStartsTheWaitAnew() {
        var policy = policy()
        _ = policy.advance(lag: time(3_000), at: .zero)
        _ = policy.advance(lag: time(100), at: time(1_000))
        _ = policy.advance(lag: time(1_000), at: time(14_000))
        for at in stride(from: 14_500, through: 29_000, by: 500) {
            let changed = policy.advance(lag: time(100), at: time(at))
            #expect(!changed)
        }
        #expect(policy.level == 1)
    }

    @Test func whatAPipelineDoesNotHaveIsNotGivenUp() {
        var deaf = policy([])
        #expect(!deaf.advance(lag: time(9_000), at: .zero) && deaf.level == 0)
        var blind = policy([.slice, .partials])
        for at in stride(from: 0, through: 10_000, by: 500) { _ = blind.advance(lag: time(2_500), at: time(at)) }
        #expect(blind.measures == [.partials, .slice])
    }

    private final class Recorder: EventSink {
        let events = Mutex<[EventBody]>([])
        func emit(_ body: EventBody, src: String) { events.withLock { $0.append(body) } }
    }

    @Test func subscribersAreToldOfEveryChange() {
        let recorder = Recorder()
        let governor = LoadGovernor(sink: recorder) { _ in }
        LoadPolicy.Measure.allCases.forEach { governor.offer($0) }
        for at in [0, 500, 2_000] { governor.note(lag: time(2_200), at: time(at), of: "microphone") }
        #expect(
            recorder.events.withLock { $0 } == [
                .loadShed(level: 1, measures: ["scenes"], lagMs: 2_200, atMs: 0),
                .loadShed(level: 2, measures: ["scenes", "partials"], lagMs: 2_200, atMs: 2_000)
            ])
        #expect(governor.isTaken(.scenes) && governor.isTaken(.partials) && !governor.isTaken(.slice))
    }
}
