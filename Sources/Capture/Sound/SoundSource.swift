package import Media

/// Anything sound comes from: a file, a pipe, a tone, a microphone.
///
/// A source is owned by one task. It never blocks longer than a file read does: where nothing has arrived yet it says
/// so.
/// ```
///                    AudioFile ─► FilePacer  ─┐
///               standard input ─► PCMStdin   ─┤
///                                 TestTone   ─┼─► SoundPump ─► AudioBlock
/// ALSA ─► thread ─► SampleRing ─► Microphone ─┘
/// ```
package protocol SoundSource: ~Copyable, Sendable {
    /// What comes next. After `.ended` nothing else comes.
    mutating func next() throws(CaptureError) -> SoundPull
    /// What a listener should know after the end; nil: nothing.
    var remark: String? { get }
}

extension SoundSource where Self: ~Copyable {
    package var remark: String? { nil }
}

package enum SoundPull: Sendable {
    /// `due` is the time since the start of the source before which nobody may have the block: that of its last sample,
    /// as with a microphone. nil: at once.
    case block(AudioBlock, due: MediaTime?)
    /// Nothing has arrived yet; ask again in about `SoundPump.patience`.
    case pending
    case ended
}

package enum Pace: String, CaseIterable, Sendable {
    /// As a microphone would deliver.
    case realtime
    /// As fast as the reader takes it.
    case fast
}

extension Pace {
    func due(_ block: AudioBlock) -> MediaTime? { self == .realtime ? block.end : nil }
}

package enum SoundPump {
    /// How long a source with nothing to give is left alone: short against a block, long against a wake-up.
    package static let patience = Duration.milliseconds(10)

    /// Pulls `source` dry, handing every block on when it is due.
    ///
    /// Deadlines are counted from one start, so delays never add up; a block that is late goes out at once.
    /// - Parameters:
    ///   - clock: what paces; any clock that does not jump.
    ///   - isStopped: asked before every block and after every wait; true ends the pump.
    ///   - hold: awaited before every block; all later blocks are due later by what it returns.
    ///   - deliver: takes each block; as long as it takes, nothing more is read.
    package static func run<S: SoundSource & ~Copyable, C: Clock>(
        _ source: inout S, clock: C, isStopped: () -> Bool = { false }, hold: () async -> MediaTime = { .zero },
        deliver: (AudioBlock) async throws -> Void
    ) async throws where C.Duration == Duration {
        var start = clock.now
        while !isStopped() {
            let held = await hold()
            if held > .zero { start = start.advanced(by: .nanoseconds(held.nanoseconds)) }
            switch try source.next() {
            case .ended: return
            case .pending: try await clock.sleep(until: clock.now.advanced(by: patience), tolerance: nil)
            case .block(let block, let due):
                if let due {
                    let deadline = start.advanced(by: .nanoseconds(due.nanoseconds))
                    if clock.now < deadline { try await clock.sleep(until: deadline, tolerance: nil) }
                    if isStopped() { return }
                }
                try await deliver(block)
            }
        }
    }
}
