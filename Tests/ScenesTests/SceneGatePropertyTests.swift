import Media
import Scenes
import TestSupport
import Testing

/// What holds of any stream.
struct SceneGatePropertyTests {
    /// Stretches of stillness, movement, flashes and noise, all from the seed.
    private func views(_ random: inout SplitMix64) -> [Float] {
        var views: [Float] = []
        var view = Float.random(in: 0..<10, using: &random)
        while views.count < 900 {
            let count = Int.random(in: 1...90, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: view = Float.random(in: 0..<10, using: &random)
            case 1:
                let step = Float.random(in: -0.2..<0.2, using: &random)
                for _ in 0..<count { views.append(view); view += step }
            case 2: views.append(view + 7)
            case 3: for _ in 0..<count { views.append(view + Float.random(in: -0.02..<0.02, using: &random)) }
            default: views += SceneGateTests.still(view, count)
            }
        }
        return views
    }

    @Test(arguments: 0..<200 as Range<UInt64>, [1, 5, 30]) func theRulesHold(seed: UInt64, fps: Int) {
        var random = SplitMix64(seed: seed)
        let views = views(&random)
        let minInterval = [0, 1_000, 5_000][Int(seed % 3)]
        let repeatEvery = seed % 2 == 0 ? 0 : 3_000
        let settings = SceneGateTests.settings(minInterval: minInterval, repeatEvery: repeatEvery)
        let told = SceneGateTests.run(views, fps: fps, settings)

        #expect(told == SceneGateTests.run(views, fps: fps, settings), "not the same twice")
        #expect(told.first?.reason == .first)
        #expect(told.count { $0.reason == .first } == 1)
        #expect(repeatEvery > 0 || !told.contains { $0.reason == .interval })
        let changes = told.filter { $0.reason != .interval }
        for (before, after) in zip(changes, changes.dropFirst()) {
            #expect(abs(before.view - after.view) >= 0.12, "the same view twice")
            if let earlier = before.at, let later = after.at {
                #expect(later - earlier >= MediaTime(milliseconds: minInterval))
            }
        }
        for (before, after) in zip(told, told.dropFirst()) where after.reason == .interval {
            let (earlier, later) = (before.at!, after.at!)
            #expect(later - earlier >= MediaTime(milliseconds: repeatEvery - 1_000))
        }
    }

    /// Frames that `mayRest` and `isStill` allow to be left out change nothing.
    @Test(arguments: 0..<100 as Range<UInt64>) func restingChangesNothing(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let views = views(&random)
        var gate = SceneGateTests.gate(SceneGateTests.settings(minInterval: 1_000))
        var told: [Float] = []
        var unseen: [(MediaTime, Float)] = []
        for (index, view) in views.enumerated() {
            let time = SceneGateTests.time(index, fps: 30)
            unseen.append((time, view))
            if gate.mayRest(until: time) && unseen.count < 3 { continue }
            if gate.mayRest(until: time) && gate.isStill(view) { unseen.removeFirst(unseen.count - 1) }
            for (time, view) in unseen { told += gate.advance(to: time, view).map(\.view) }
            unseen = []
        }
        for (time, view) in unseen { told += gate.advance(to: time, view).map(\.view) }
        told += gate.finish().map(\.view)
        let all = SceneGateTests.run(views, fps: 30, SceneGateTests.settings(minInterval: 1_000))
        #expect(told.count == all.count)
    }
}
