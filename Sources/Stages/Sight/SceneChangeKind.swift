import Graph
import Media
import Scenes
import Signal

extension StageKind {
    /// `scene_change { threshold, settle_ms, min_interval_s, repeat_s, zones, mask }`
    static func sceneChange(_ environment: StageEnvironment) -> StageKind {
        let standard = SceneGateSettings()
        return StageKind(
            name: "scene_change", summary: "Lets through the pictures that are worth telling.",
            inputs: [VideoFrame.port], output: SceneFrame.port,
            settings: [
                .optional(
                    "threshold", .number(0.01...0.95), default: .number(0.12), live: true,
                    "the share of the picture that makes another view"),
                .optional(
                    "settle_ms", .milliseconds(0...60_000), default: .duration(standard.settle), live: true,
                    "how long a view must be still"),
                .optional(
                    "min_interval_s", .seconds(0...86_400), default: .duration(standard.minInterval), live: true,
                    "the least time between two changes"),
                .optional(
                    "repeat_s", .seconds(0...86_400), default: .duration(standard.repeatEvery), live: true,
                    "after which a view is told again; 0: never"),
                .optional(
                    "zones", .rectangles, default: .rectangles([]), "where changes count; everywhere if there are none"),
                .optional("mask", .rectangles, default: .rectangles([]), "where changes are ignored")
            ],
            queue: QueuePolicy(capacity: 2, whenFull: .dropOldest),
            notes: { settings in
                let watched = ViewComparison(zones: settings.rectangles("zones"), mask: settings.rectangles("mask"))
                return watched.isBlind ? ["zones and mask leave nothing to look at: no change will be told"] : []
            },
            make: { settings, context in
                environment.load.offer(.scenes)
                return .worker(
                    SceneChangeWorker(
                        SceneGateSettings(settings),
                        ViewComparison(zones: settings.rectangles("zones"), mask: settings.rectangles("mask")),
                        nextScene: environment.nextScene, isCrowded: { environment.load.isTaken(.scenes) }
                    ) { environment.report("stage '\(context.stage)': \($0)") })
            })
    }
}

extension SceneGateSettings {
    init(_ settings: StageSettings) {
        self.init(
            threshold: Float(settings.number("threshold")), settle: settings.duration("settle_ms"),
            minInterval: settings.duration("min_interval_s"), repeatEvery: settings.duration("repeat_s"))
    }
}
