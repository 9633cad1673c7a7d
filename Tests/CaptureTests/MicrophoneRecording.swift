import Capture
import Foundation
import Media
import Synchronization

/// A microphone that is read by a task of its own, and all that it gave and told.
final class MicrophoneRecording: Sendable {
    struct State {
        var blocks: [AudioBlock] = []
        var formats: [MicrophoneFormat] = []
        var lost: [String] = []
        var restored: [MediaTime] = []
        var overruns: [MediaTime] = []
        var obstacles: [String] = []
        var statistics = MicrophoneStatistics()
        var failure: CaptureError?
        /// When the newest `lost` and `restored` were read, on the monotonic clock.
        var lostAt: Int64 = 0
        var restoredAt: Int64 = 0

        var frames: Int { blocks.reduce(0) { $0 + $1.frames } }
        var samples: [Float] { blocks.flatMap(\.samples) }
    }

    struct Overdue: Error, CustomStringConvertible {
        let description: String
    }

    let state = Mutex(State())
    private let task = Mutex<Task<Void, any Error>?>(nil)

    init(_ request: MicrophoneRequest) {
        let streamZero = MonotonicClock.now()
        let task = Task { [self] in
            var microphone = try Microphone(request, streamZero: streamZero)
            while !Task.isCancelled {
                do throws(CaptureError) {
                    let news = try microphone.next()
                    note(news, microphone.statistics)
                    if news != nil { continue }
                } catch {
                    state.withLock { $0.failure = error }
                    return
                }
                try? await Task.sleep(for: Microphone.patience)
            }
        }
        self.task.withLock { $0 = task }
    }

    private func note(_ news: MicrophoneNews?, _ statistics: MicrophoneStatistics) {
        state.withLock { state in
            state.statistics = statistics
            switch news {
            case nil: break
            case .block(let block): state.blocks.append(block)
            case .opened(let format):
                state.formats.append(format)
                print("lab: \(format)")
            case .device(.lost(let message, let time)):
                state.lost.append(message)
                state.lostAt = MonotonicClock.now()
                print("lab: lost at \(time): \(message)")
            case .device(.restored(let lost, let time)):
                state.restored.append(lost)
                state.restoredAt = MonotonicClock.now()
                print("lab: restored at \(time), \(lost) missing")
            case .device(.overrun(let lost, let time)):
                state.overruns.append(lost)
                print("lab: overrun at \(time), \(lost) missing")
            case .device(.obstacle(let message)):
                state.obstacles.append(message)
                print("lab: \(message)")
            }
        }
    }

    func wait(for what: String, seconds: Double = 60, until condition: @Sendable (State) -> Bool) async throws {
        let limit = ContinuousClock.now + .seconds(seconds)
        while !state.withLock({ condition($0) }) {
            guard ContinuousClock.now < limit else { throw Overdue(description: "no \(what) within \(seconds) s") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The next `lost`; prints how long after `cause` it was read.
    func waitForLoss(_ count: Int, after cause: String, at start: Int64) async throws {
        try await wait(for: "loss after \(cause)") { $0.lost.count >= count }
        let time = state.withLock { $0.lostAt } - start
        print("measured: \(cause) -> lost: \(time / 1_000_000) ms")
    }

    /// The same of `restored`.
    func waitForReturn(_ count: Int, after cause: String, at start: Int64) async throws {
        try await wait(for: "return after \(cause)") { $0.restored.count >= count }
        let time = state.withLock { $0.restoredAt } - start
        print("measured: \(cause) -> restored: \(time / 1_000_000) ms")
    }

    /// Forgets the sound so far.
    func forget() { state.withLock { $0.blocks = [] } }

    /// Lets go of the microphone.
    func end() async {
        let task = task.withLock { $0 }
        task?.cancel()
        _ = await task?.result
    }
}
