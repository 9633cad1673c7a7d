import Capture
import Graph
import Media

/// Carries recorded sound, or a pipe's, into the graph at its pace.
struct SoundStage<Sound: SoundSource & ~Copyable>: Source {
    /// Hears what there is to say of the source once it has ended.
    var report: @Sendable (String) -> Void = { _ in }
    /// Opens the source when the graph starts.
    let open: @Sendable () throws -> Sound

    func run(_ output: SourceOutput) async throws {
        var sound = try open()
        // It stands still while the graph is paused; what comes after is that much later.
        var shift = output.begin
        var held = MediaTime.zero
        func hold() async -> MediaTime {
            let length = await output.waitWhilePaused()
            shift += length
            held += length
            return length
        }
        try await SoundPump.run(&sound, clock: ContinuousClock(), isStopped: { output.isStopped }, hold: hold) {
            pulled in
            var block = pulled
            block.time += shift
            block.lostBefore += held
            held = .zero
            await output.send(block, reaching: block.end)
        }
        if let remark = sound.remark { report(remark) }
    }
}
