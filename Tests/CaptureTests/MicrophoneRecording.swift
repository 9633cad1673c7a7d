import Capture
import Foundation
import Media
import Synchronization

/// What a microphone gave and told.
struct MicrophoneState {
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

    mutating func note(_ news: MicrophoneNews) {
        switch news {
        case .block(let block): blocks.append(block)
        case .opened(let format):
            formats.append(format)
            print("lab: \(format)")
        case .device(.lost(let message, let time)):
            lost.append(message)
            lostAt = MonotonicClock.now()
            print("lab: lost at \(time): \(message)")
        case .device(.restored(let lost, let time)):
            restored.append(lost)
            restoredAt = MonotonicClock.now()
            print("lab: restored at \(time), \(lost) missing")
        case .device(.overrun(let lost, let time)):
            overruns.append(lost)
            print("lab: overrun at \(time), \(lost) missing")
        case .device(.obstacle(let message)):
            obstacles.append(message)
            print("lab: \(message)")
        }
    }
}

typealias MicrophoneRecording = DeviceRecording<MicrophoneState>

extension DeviceRecording<MicrophoneState> {
    convenience init(_ request: MicrophoneRequest) {
        let streamZero = MonotonicClock.now()
        self.init(MicrophoneState()) { recording in
            var microphone = try Microphone(request, streamZero: streamZero)
            while !Task.isCancelled {
                do throws(CaptureError) {
                    let news = try microphone.next()
                    let statistics = microphone.statistics
                    recording.state.withLock { state in
                        state.statistics = statistics
                        if let news { state.note(news) }
                    }
                    if news != nil { continue }
                } catch {
                    return recording.state.withLock { $0.failure = error }
                }
                try? await Task.sleep(for: Microphone.patience)
            }
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
}
