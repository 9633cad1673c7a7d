package import Media

/// When a view is worth telling.
package struct SceneGateSettings: Hashable, Sendable {
    /// The change that makes another view, 0...1.
    package var threshold: Float
    /// How long a view must be still.
    package var settle: MediaTime
    /// The least time between two changes told.
    package var minInterval: MediaTime
    /// After this time without anything told, the view is told again; zero: never.
    package var repeatEvery: MediaTime

    package init(
        threshold: Float = 0.12, settle: MediaTime = MediaTime(milliseconds: 400),
        minInterval: MediaTime = MediaTime(milliseconds: 5_000), repeatEvery: MediaTime = .zero
    ) {
        self.threshold = threshold
        self.settle = settle
        self.minInterval = minInterval
        self.repeatEvery = repeatEvery
    }

    /// Less change than this against the beginning of a stillness is none: half of what would be told.
    var stillness: Float { threshold / 2 }
    /// A slow pan looks still for a while, again and again. After each such while the next must last twice as long,
    /// up to this: what moves more slowly is told now and then, like daylight.
    var longestSettle: MediaTime { MediaTime(nanoseconds: settle.nanoseconds * 5) }
    /// Where nothing ever settles, the view is told as it is after this time: a busy street, a tree in the wind.
    var restless: MediaTime { max(longestSettle, MediaTime(milliseconds: 30_000)) }
}
