import Foundation
/// How a stream wants to be transcribed.
package struct WhisperOptions: Sendable {
    package enum Task: Sendable { case transcribe, translate }

    /// What the encoder sees.
    package enum Window: Sendable, Equatable {
        /// 30 s, the sound followed by silence: what the model was trained on.
        case full
        /// The sound and `marginPositions` of 20 ms of silence behind it, rounded up to a multiple of `step` positions.
        case trimmed(marginPositions: Int, step: Int)
    }

    /// Two-letter code; nil: detected for each utterance.
    package var language: String?
    package var task = Task.transcribe
    package var window = Window.full
    /// The same for partials, which come many times a second.
    package var partialWindow = Window.full
    /// Whether the decoder writes timestamp tokens.
    package var timestamps = false
    /// Tried in turn on finals until one is accepted.
    package var temperatures: [Float] = [0, 0.2, 0.4, 0.6, 0.8, 1]
    /// Words whose attention lies within this many positions of 20 ms before the end of the sound are not stable.
    package var unstablePositions = 40
    /// A word less sure than this is not stable.
    package var stableConfidence: Float = 0.5

    package init() {}

    /// For recordings.
    package static var offline: WhisperOptions { live }

    /// For a speaker who is heard live: the encoder sees little more than the sound there is, many times a second.
    package static var live: WhisperOptions {
        var o = WhisperOptions()
        let e = ProcessInfo.processInfo.environment
        if let m = e["M"] { o.partialWindow = .trimmed(marginPositions: Int(m)!, step: Int(e["S"] ?? "32")!) }
        if let m = e["C"] { o.stableConfidence = Float(m)! }
        if let m = e["U"] { o.unstablePositions = Int(m)! }
        return o
    }
}
