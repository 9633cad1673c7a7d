package import Media

/// Decides what is given up when a machine cannot keep up, and when it is taken back: a state machine over stream time.
///
/// Measures come one after the other, in a fixed order, as long as speech is late; they go in the reverse order once it has been
/// on time for a while.
package struct LoadPolicy: Sendable, Equatable {
    /// What is given up, mildest first.
    package enum Measure: String, CaseIterable, Hashable, Sendable {
        /// New scenes are told more seldom.
        case scenes
        /// Partials come more seldom.
        case partials
        /// Further utterances are heard by a smaller model, where the pipeline names one.
        case slice
    }

    /// Text that trails the sound by more than this is late.
    package static let limit = MediaTime(milliseconds: 2_000)
    /// Text that trails by less than this is on time.
    package static let ease = MediaTime(milliseconds: 700)
    /// A measure gets so long to show what it does.
    package static let patience = MediaTime(milliseconds: 2_000)
    /// Speech must be on time so long before a measure is taken back.
    package static let recovery = MediaTime(milliseconds: 15_000)

    /// What there is to give up, mildest first: a pipeline without a camera has no scenes.
    package private(set) var offered: [Measure] = []
    /// How many measures are taken.
    package private(set) var level = 0
    private var changedAt: MediaTime?
    private var easySince: MediaTime?

    package init() {}

    package var measures: [Measure] { Array(offered.prefix(level)) }

    package mutating func offer(_ measure: Measure) {
        offered = Measure.allCases.filter { $0 == measure || offered.contains($0) }
    }

    /// Takes how far the text trails at `time`; returns whether the measures changed.
    package mutating func advance(lag: MediaTime, at time: MediaTime) -> Bool {
        easySince = lag < Self.ease ? easySince ?? time : nil
        if lag > Self.limit, level < offered.count, time - (changedAt ?? time - Self.patience) >= Self.patience {
            return change(to: level + 1, at: time)
        }
        if level > 0, let easySince, time - easySince >= Self.recovery,
            time - (changedAt ?? easySince) >= Self.recovery
        {
            return change(to: level - 1, at: time)
        }
        return false
    }

    private mutating func change(to level: Int, at time: MediaTime) -> Bool {
        self.level = level
        changedAt = time
        return true
    }
}
