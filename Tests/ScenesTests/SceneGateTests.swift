import Media
import Scenes
import TestSupport
import Testing

/// Views are numbers here: the change between two is their distance, and a jump of more than 0.5 is a cut.
struct SceneGateTests {
    struct Told: Hashable {
        let reason: SceneReason
        let view: Float
        /// Nil: at the end.
        let at: MediaTime?
    }

    static func settings(
        settle: Int = 400, minInterval: Int = 0, repeatEvery: Int = 0
    ) -> SceneGateSettings {
        SceneGateSettings(
            settle: MediaTime(milliseconds: settle), minInterval: MediaTime(milliseconds: minInterval),
            repeatEvery: MediaTime(milliseconds: repeatEvery))
    }

    static func gate(_ settings: SceneGateSettings) -> SceneGate<Float> {
        SceneGate(settings, change: { min(1, abs($0 - $1)) }, isCut: { abs($0 - $1) > 0.5 })
    }

    static func time(_ index: Int, fps: Int) -> MediaTime {
        MediaTime(nanoseconds: Int64(index) * 1_000_000_000 / Int64(fps))
    }

    /// Shows the views one after the other, from 0 on, and ends.
    static func run(_ views: [Float], fps: Int, _ settings: SceneGateSettings) -> [Told] {
        var gate = gate(settings)
        var told: [Told] = []
        for (index, view) in views.enumerated() {
            let time = time(index, fps: fps)
            told += gate.advance(to: time, view).map { Told(reason: $0.reason, view: $0.view, at: time) }
        }
        return told + gate.finish().map { Told(reason: $0.reason, view: $0.view, at: nil) }
    }

    static func still(_ view: Float, _ count: Int) -> [Float] { Array(repeating: view, count: count) }

    private func reasons(_ told: [Told]) -> [SceneReason] { told.map(\.reason) }

    @Test(arguments: [1, 5, 30, 240]) func aStillViewIsToldOnce(fps: Int) {
        let told = Self.run(Self.still(0, fps * 20), fps: fps, Self.settings())
        #expect(told.count == 1 && told[0].reason == .first)
        #expect(told[0].at.map { $0 >= MediaTime(milliseconds: 400) && $0.milliseconds <= max(1_000, 405) } == true)
    }

    @Test func nothingComesOfNothing() {
        var gate = Self.gate(Self.settings())
        #expect(gate.finish().isEmpty)
    }

    @Test func aSinglePictureIsToldAtTheEnd() {
        #expect(Self.run([3], fps: 1, Self.settings()) == [Told(reason: .first, view: 3, at: nil)])
    }

    @Test(arguments: [1, 5, 30]) func everyCutIsAChangeAtEveryRate(fps: Int) {
        let views = Self.still(0, 6) + Self.still(1, 6) + Self.still(2, 6)
        for minInterval in [0, 5_000] {
            let told = Self.run(views, fps: fps, Self.settings(minInterval: minInterval))
            #expect(told.map(\.view) == [0, 1, 2])
            #expect(reasons(told) == [.first, .change, .change])
        }
    }

    @Test func aViewOfThreeFramesIsNoViewAtThirtyFramesASecond() {
        let told = Self.run(
            Self.still(0, 30) + Self.still(1, 3) + Self.still(2, 30), fps: 30, Self.settings())
        #expect(told.map(\.view) == [0, 2])
    }

    @Test(arguments: [1, 2, 3]) func aFlashChangesNothing(frames: Int) {
        var views = Self.still(0, 8)
        for _ in 0..<10 { views += Self.still(5, frames) + Self.still(0, 6) }
        let told = Self.run(views, fps: 30, Self.settings())
        #expect(told.map(\.view) == [0])
        // It settles in spite of the flashes, which come faster than it takes.
        #expect(told.first?.at.map { $0.milliseconds < 700 } == true)
    }

    @Test(arguments: [1, 5, 30], [0.08, 0.15, 0.3] as [Float]) func aPanIsOneSceneWhenItSettles(fps: Int, step: Float) {
        let pan = (0..<20).map { 0.0 + step * Float($0 + 1) }
        let end = Self.still(step * 20, 3 * fps + 2)
        let told = Self.run(Self.still(0, 2 * fps) + pan + end, fps: fps, Self.settings())
        #expect(told.map(\.view) == [0, step * 20])
        #expect(reasons(told) == [.first, .change])
        let moving = Self.run(pan, fps: fps, Self.settings())
        #expect(moving == [Told(reason: .first, view: step * 20, at: nil)])
    }

    /// Each step is far below what counts as movement.
    @Test(arguments: [0.004, 0.008, 0.02, 0.05] as [Float]) func aSlowPanIsNoticedAndToldWhenItSettles(step: Float) {
        let pan = (1...200).map { step * Float($0) }
        let told = Self.run(Self.still(0, 60) + pan + Self.still(step * 200, 120), fps: 30, Self.settings())
        #expect(told.map(\.view) == [0, step * 200])
    }

    @Test func daylightIsToldNowAndThen() {
        let day = (0..<3_600).map { 0.0002 * Float($0) }  // 0.72 in two minutes
        let told = Self.run(day, fps: 30, Self.settings(minInterval: 5_000))
        #expect((5...7).contains(told.count) && reasons(told).dropFirst().allSatisfy { $0 == .change })
    }

    @Test func whatNeverSettlesIsToldEveryHalfMinute() {
        var random = SplitMix64(seed: 1)
        let told = Self.run(random.floats(30 * 100, scale: 5), fps: 30, Self.settings())
        #expect((3...5).contains(told.count))
        #expect(told.first?.at?.milliseconds == 30_000)
    }

    @Test func aViewInsideTheIntervalIsToldWhenItEnds() {
        let views = Self.still(0, 30) + Self.still(1, 30) + Self.still(2, 330)
        let told = Self.run(views, fps: 30, Self.settings(minInterval: 5_000))
        #expect(told.map(\.view) == [0, 1, 2])
        #expect(told.map { $0.at?.milliseconds } == [400, 5_400, 10_400])
    }

    @Test func aPendingViewIsToldAtTheEnd() {
        let told = Self.run(Self.still(0, 30) + Self.still(1, 20), fps: 30, Self.settings(minInterval: 60_000))
        #expect(told.last == Told(reason: .change, view: 1, at: nil))
    }

    @Test func ofTooManyViewsTheOldestAreGivenUpAndCounted() {
        var gate = Self.gate(Self.settings(minInterval: 600_000))
        let views = (0..<8).flatMap { Self.still(Float($0), 30) }
        var told: [Float] = []
        for (index, view) in views.enumerated() {
            told += gate.advance(to: Self.time(index, fps: 30), view).map(\.view)
        }
        told += gate.finish().map(\.view)
        #expect(told == [0, 4, 5, 6, 7] && gate.superseded == 3)
    }

    @Test func aViewThatIsBackIsNotToldTwice() {
        // 1, 2 and 3 are given up, and 0 is what was told before them.
        let views = [0, 1, 2, 3, 0, 5, 6, 7].flatMap { Self.still(Float($0), 30) }
        let told = Self.run(views, fps: 30, Self.settings(minInterval: 600_000))
        #expect(told.map(\.view) == [0, 5, 6, 7])
    }

    @Test func aRepeatComesEveryIntervalAndChangesRestartIt() {
        let views = Self.still(0, 30 * 5) + Self.still(1, 30 * 5)
        let told = Self.run(views, fps: 30, Self.settings(repeatEvery: 2_000))
        #expect(reasons(told) == [.first, .interval, .interval, .change, .interval, .interval])
        #expect(told.compactMap { $0.at?.milliseconds } == [400, 2_400, 4_400, 5_400, 7_400, 9_400])
    }

    @Test func afterAnInterruptionNothingIsToldOfTheSameView() {
        var gate = Self.gate(Self.settings())
        var told: [Float] = []
        for index in 0..<90 {
            if index == 30 || index == 60 { gate.interrupt() }
            told += gate.advance(to: Self.time(index, fps: 30), index < 60 ? 0 : 1).map(\.view)
        }
        #expect(told == [0, 1])
    }

    @Test func timeThatStepsBackHoldsNothingUp() {
        var gate = Self.gate(Self.settings(minInterval: 1_000, repeatEvery: 2_000))
        var told: [SceneReason] = []
        for index in 0..<300 {
            let step: Int64 = index < 100 ? 3_600_000_000_000 : 0
            let time = Self.time(index, fps: 30)
            told += gate.advance(to: MediaTime(nanoseconds: time.nanoseconds + step), index < 200 ? 0 : 1)
                .map(\.reason)
        }
        #expect(told == [.first, .interval, .interval, .interval, .change, .interval])
    }
}
