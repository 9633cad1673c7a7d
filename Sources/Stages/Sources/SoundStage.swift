import Capture
import Events
import Graph
import Media
import Synchronization

/// Carries any `SoundSource` into the graph, at its pace, and says what the device lost.
struct SoundStage<Sound: SoundSource & ~Copyable>: Source {
    let sink: any EventSink
    /// Hears what there is to say of the source once it has ended.
    var report: @Sendable (String) -> Void = { _ in }
    /// Opens the source when the graph starts; stream time 0 is the given monotonic time.
    let open: @Sendable (_ streamZero: Int64) throws -> Sound

    func run(_ output: SourceOutput) async throws {
        var sound = try open(MonotonicClock.now() - output.clock.now(output.source).nanoseconds)
        // Recorded sound stands still while the graph is paused; what comes after is that much later.
        var shift = output.begin
        var held = MediaTime.zero
        func hold() async -> MediaTime {
            guard output.pace != .live else { return .zero }
            let length = await output.waitWhilePaused()
            shift += length
            held += length
            return length
        }
        try await SoundPump.run(&sound, clock: ContinuousClock(), isStopped: { output.isStopped }, hold: hold) {
            pulled in
            var block = pulled
            if output.pace != .live {
                block.time += shift
                block.lostBefore += held
                held = .zero
                return await output.send(block, reaching: block.end)
            }
            if block.lostBefore > .zero {
                sink.emit(
                    .deviceOverrun(lostMs: block.lostBefore.milliseconds, atMs: block.time.milliseconds),
                    src: output.source.name)
            }
            await output.send(block, reaching: block.end)
        }
        if let remark = sound.remark { report(remark) }
    }
}
