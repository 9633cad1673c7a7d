import Capture
import Graph
import Media

/// Carries any `PictureSource` into the graph, at its pace, and says at the end what was left out.
struct RecordedPictures<Pictures: PictureSource & ~Copyable>: Source {
    let environment: StageEnvironment
    /// Opens the source when the graph starts.
    let open: @Sendable () throws -> Pictures

    func run(_ output: SourceOutput) async throws {
        var pictures = try open()
        defer { if let losses = pictures.losses { environment.report("\(output.source): \(losses)") } }
        var shift = output.begin
        while !output.isStopped, var frame = try pictures.next() {
            shift += await output.waitWhilePaused()
            frame.time += shift
            // Times are counted from the start, so delays never add up; a picture that is late goes out at once.
            if output.pace == .paced { try await output.clock.sleep(until: frame.time) }
            if !output.isMuted { environment.frames.put(frame, of: output.source) }
            await output.send(frame, reaching: frame.time)
        }
    }
}
