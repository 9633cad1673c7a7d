import Capture
import Events
import Graph
import Media

/// Carries a microphone into the graph, with what happens to the device.
///
/// While it is away, blocks without a frame say so: time goes on for whoever listens, and an utterance that was open
/// ends as in silence.
struct MicrophoneStage: Source {
    let request: MicrophoneRequest
    let environment: StageEnvironment
    /// How often its figures are brought up to date.
    private static let reportInterval = MediaTime(milliseconds: 1_000)
    /// How often time is told to go on while the device is away,
    private static let absenceInterval = MediaTime(milliseconds: 250)
    /// and up to how long ago: what comes first from a device that is back is not older.
    private static let absenceMargin = MediaTime(milliseconds: 750)

    func run(_ output: SourceOutput) async throws {
        let source = output.source
        let now = { MediaTime(nanoseconds: MonotonicClock.now()) }
        let streamZero = now() - output.clock.now(source)
        var microphone = try Microphone(request, streamZero: streamZero.nanoseconds)
        defer { environment.devices.remove(source) }
        var format: MicrophoneFormat?
        var isLost = false
        var last: AudioBlock?  // its samples are left out
        var nextReport = MediaTime.zero
        while !output.isStopped {
            switch try microphone.next() {
            case nil:
                let absent = now() - streamZero - Self.absenceMargin
                if isLost, let block = last, absent - block.time >= Self.absenceInterval {
                    var pause = block
                    (pause.time, pause.lostBefore) = (absent, absent - block.time)
                    last = pause
                    await output.send(pause, reaching: absent)
                }
                try await Task.sleep(for: Microphone.patience)
            case .block(let block):
                last = AudioBlock(time: block.end, rateHz: block.rateHz, channels: block.channels, samples: [])
                await output.send(block, reaching: block.end)
                if block.end >= nextReport {
                    report(format, microphone.statistics, of: source)
                    nextReport = block.end + Self.reportInterval
                }
            case .opened(let opened):
                if opened != format { environment.inform("'\(source)': \(opened)") }
                format = opened
            case .device(let news):
                if case .lost = news { isLost = true }
                if case .restored = news { isLost = false }
                environment.tell(news, of: source)
                report(format, microphone.statistics, of: source)
            }
        }
    }

    private func report(_ format: MicrophoneFormat?, _ statistics: MicrophoneStatistics, of source: StageID) {
        guard let format else { return }
        environment.devices.put(
            [
                "device": .string(request.device), "format": .string(format.sound.sampleFormat.rawValue),
                "rate_hz": .int(format.sound.rateHz), "channels": .int(format.sound.channels),
                "period_ms": .int(format.period.milliseconds), "buffer_ms": .int(format.buffer.milliseconds),
                "realtime_priority": .int(format.realtimePriority),
                "measured_rate_hz": .double((statistics.measuredRateHz * 10).rounded() / 10),
                "overruns": .int(statistics.deviceOverruns), "dropped_frames": .int(statistics.framesDropped),
                "restarts": .int(statistics.restarts), "reopens": .int(statistics.reopens)
            ], of: source)
    }
}
