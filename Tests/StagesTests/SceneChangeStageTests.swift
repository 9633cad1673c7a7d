import Graph
import Kernels
import Media
import Scenes
import Signal
import Stages
import TestSupport
import Testing

/// `scene_change` as a stage, on made-up raw pictures.
struct SceneChangeStageTests {
    static let size = PixelSize(width: 640, height: 360)

    /// A pattern of blocks that `view` chooses, moved by `shift` pixels to the left and `gain` times as bright.
    static func frame(
        view: UInt64, shift: Int = 0, gain: Float = 1, noise: Float = 0, seed: UInt64 = 0, size: PixelSize = size,
        at time: MediaTime
    ) -> VideoFrame {
        let block = size.width / 16
        var random = SplitMix64(seed: view &* 7_919)
        let lights = (0..<64 * 16).map { _ in Float.random(in: 20..<230, using: &random) }
        var sensor = SplitMix64(seed: seed)
        let tremble: [Float] = noise == 0 ? [] : sensor.floats(size.width, scale: noise * 1.732)
        var bytes = [UInt8](repeating: 0, count: size.pixels)
        for row in 0..<size.height {
            for column in 0..<size.width {
                var light = lights[row / block * 64 + (column + shift) / block] * gain
                if !tremble.isEmpty { light += tremble[(column &+ row &* 131) % size.width] }
                bytes[row * size.width + column] = UInt8(min(max(light, 0), 255))
            }
        }
        return VideoFrame(time: time, size: size, format: .grey, bytesPerRow: size.width, bytes: bytes)
    }

    private static func quick(_ minInterval: Int = 0, repeatEvery: Int = 0) -> SceneGateSettings {
        SceneGateSettings(
            minInterval: MediaTime(milliseconds: minInterval), repeatEvery: MediaTime(milliseconds: repeatEvery))
    }

    /// Runs one frame for each index.
    private func run(
        _ count: Int, fps: Int, _ settings: SceneGateSettings = quick(),
        _ picture: (Int, MediaTime) -> VideoFrame
    ) throws -> SceneChangeHarness {
        let harness = SceneChangeHarness(settings)
        for index in 0..<count {
            try harness.show(picture(index, VideoFrame.time(index, fps: fps)))
        }
        try harness.finish()
        return harness
    }

    @Test(arguments: [1, 5, 15, 30]) func noiseFlickerAndExposureAreOneScene(fps: Int) throws {
        let harness = try run(40, fps: fps) { index, time in
            let flicker: Float = index.isMultiple(of: 2) ? 1 : 0.93
            let exposure: Float = index < 20 ? 0.6 : 1
            return Self.frame(
                view: 1, gain: flicker * exposure, noise: 12, seed: UInt64(index), at: time)
        }
        #expect(harness.reasons == [.first], "\(harness.told)")
    }

    @Test(arguments: [1, 5, 15, 30], [2, 4, 8, 20]) func aPanIsOneSceneWhenItSettles(fps: Int, pixels: Int) throws {
        let (start, steps) = (2 * fps, 40)
        let harness = try run(start + steps + 3 * fps + 2, fps: fps) { index, time in
            Self.frame(
                view: 2, shift: pixels * min(max(0, index - start), steps), noise: 3, seed: UInt64(index), at: time)
        }
        #expect(harness.reasons == [.first, .change], "\(harness.told)")
        let last = try #require(harness.told.last)
        #expect(last.frame >= VideoFrame.time(start + steps - 4, fps: fps), "before it settled: \(last)")
    }

    @Test(arguments: [1, 5, 15, 30]) func cutsAndLightsAreChanges(fps: Int) throws {
        let harness = try run(6 * 8, fps: fps) { index, time in
            let part = index / 8
            return Self.frame(
                view: [3, 4, 5, 5, 5, 3][part], gain: part == 3 ? 0.02 : 1, noise: 3, seed: UInt64(index), at: time)
        }
        #expect(harness.reasons == [.first, .change, .change, .change, .change, .change], "\(harness.told)")
    }

    @Test(arguments: [5, 30]) func aFlashAndADamagedFrameChangeNothing(fps: Int) throws {
        let harness = try run(10 * fps, fps: fps) { index, time in
            var frame = Self.frame(view: 6, gain: index % 11 == 10 ? 9 : 1, at: time)
            if index % 17 == 16 { frame.bytes.removeLast(1_000) }
            return frame
        }
        #expect(harness.reasons == [.first], "\(harness.told)")
        #expect(harness.worker.damaged > 0)
        #expect(harness.reports.count == (harness.worker.damaged > 1 ? 2 : 1), "once and the sum")
    }

    @Test func aChangeOfSizeIsNoChangeOfView() throws {
        let harness = try run(60, fps: 15) { index, time in
            Self.frame(view: 7, size: index < 30 ? Self.size : PixelSize(width: 1_280, height: 720), at: time)
        }
        #expect(harness.reasons == [.first], "\(harness.told)")
    }

    @Test func whatIsSkippedDoesNotMatter() throws {
        let views = (0..<300).map { UInt64($0 / 37) }
        let harness = try run(300, fps: 30) { Self.frame(view: views[$0], at: $1) }
        #expect(harness.told.count == 9 && harness.reasons.dropFirst().allSatisfy { $0 == .change })
        for (scene, told) in harness.told.enumerated().dropFirst() {
            // The view's beginning counts, not the first frame that was looked at.
            let settled = VideoFrame.time(37 * scene + 12, fps: 30)
            #expect((told.frame - settled).milliseconds < 34 || told.at == nil, "\(told)")
        }
    }

    @Test func aQuestionIsAnsweredWithTheNewestFrame() throws {
        let harness = SceneChangeHarness(Self.quick(60_000))
        try harness.control(.describe(scene: 900), at: .zero)
        #expect(harness.told.isEmpty, "there is no frame yet")
        for index in 0..<31 {
            try harness.show(Self.frame(view: 8, at: VideoFrame.time(index, fps: 30)))
        }
        try harness.control(.describe(scene: 901), at: MediaTime(milliseconds: 1_000))
        try harness.finish()
        #expect(harness.reasons == [.ask, .first, .ask])
        #expect(harness.told[0].number == 900 && harness.told[0].frame == .zero)
        #expect(harness.told[2].number == 901 && harness.told[2].frame == MediaTime(milliseconds: 1_000))
    }

    @Test func aMutedCameraGivesNothingAndGoesOnAfterwards() throws {
        let harness = SceneChangeHarness(Self.quick())
        for index in 0..<120 {
            let time = VideoFrame.time(index, fps: 30)
            if index == 30 { try harness.control(.mute(true), at: time) }
            if index == 40 { try harness.control(.describe(scene: 5), at: time) }
            if index == 60 { try harness.control(.mute(false), at: time) }
            try harness.show(Self.frame(view: index < 45 ? 1 : index < 90 ? 2 : 1, at: time))
        }
        try harness.finish()
        #expect(harness.reasons == [.first, .ask, .change, .change], "\(harness.told)")
        for told in harness.told.dropFirst() { #expect(told.frame >= MediaTime(milliseconds: 2_000)) }
    }

    @Test func repeatsComeAtTheirTime() throws {
        let harness = try run(30 * 7, fps: 30, Self.quick(repeatEvery: 2_000)) { Self.frame(view: 9, at: $1) }
        #expect(harness.reasons == [.first, .interval, .interval, .interval])
        #expect(harness.told.compactMap(\.at?.milliseconds) == [400, 2_400, 4_400, 6_400])
    }

    @Test func zonesAndMasksAreObeyed() throws {
        let left = try #require(UnitRectangle(left: 0, top: 0, right: 0.5, bottom: 1))
        for (zones, mask, scenes) in [([left], [], 2), ([], [left], 1), ([], [], 2)]
            as [(
                [UnitRectangle], [UnitRectangle], Int
            )]
        {
            let harness = SceneChangeHarness(Self.quick(), zones: zones, mask: mask)
            for index in 0..<60 {
                let time = VideoFrame.time(index, fps: 30)
                var frame = Self.frame(view: 10, at: time)
                if index >= 30 {
                    let other = Self.frame(view: 11, at: time)
                    for row in 0..<360 {
                        frame.bytes.replaceSubrange(
                            row * 640..<row * 640 + 320, with: other.bytes[row * 640..<row * 640 + 320])
                    }
                }
                try harness.show(frame)
            }
            try harness.finish()
            #expect(harness.told.count == scenes, "\(harness.told)")
        }
    }

    @Test func aPipelineFileMayNameAllOfIt() throws {
        let registry = StageRegistry.standard(
            StageEnvironment(
                models: EmptyStore(), sink: RecordingSink(), pool: ThreadPool(threads: 1), report: { _ in }))
        let kind = try #require(registry["scene_change"])
        #expect(kind.queue == QueuePolicy(capacity: 2, whenFull: .dropOldest))
        let defaults = Dictionary(uniqueKeysWithValues: kind.settings.map { ($0.key, $0.defaultValue) })
        #expect(
            defaults["threshold"] == .number(0.12) && defaults["settle_ms"] == .duration(MediaTime(milliseconds: 400)))
        #expect(defaults["min_interval_s"] == .duration(MediaTime(milliseconds: 5_000)))
        #expect(defaults["repeat_s"] == .duration(.zero))
        #expect(defaults["zones"] == .rectangles([]) && defaults["mask"] == .rectangles([]))
    }
}
