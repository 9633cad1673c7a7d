import Capture
import Events
import Graph
import Media

/// Carries a camera into the graph: the newest frame, whenever the readers have room for one, and what happens to the
/// device.
struct CameraStage: Source {
    let request: CameraRequest
    let environment: StageEnvironment
    /// How often its counters are told.
    static let statisticsInterval = MediaTime(milliseconds: 60_000)

    func run(_ output: SourceOutput) async throws {
        let source = output.source
        let camera = try Camera(
            request, streamZero: MonotonicClock.now() - output.clock.now(source).nanoseconds)
        defer { environment.devices.remove(source) }
        var lastFormat: CameraFormat?
        var nextStatistics = Self.statisticsInterval
        while !output.isStopped, let news = try await camera.next() {
            switch news {
            case .frame(let frame):
                if !output.isMuted { environment.frames.put(frame, of: source) }
                await output.send(frame, reaching: frame.time)
                if frame.time >= nextStatistics {
                    tell(camera.statistics, of: source)
                    nextStatistics = frame.time + Self.statisticsInterval
                }
            case .opened(let format):
                if format != lastFormat { environment.inform("'\(source)': \(format)") }
                lastFormat = format
                report(format, of: source)
            case .device(let news):
                environment.tell(news, of: source)
                if case .restored = news { tell(camera.statistics, of: source) }
            }
        }
        tell(camera.statistics, of: source)
    }

    private func report(_ format: CameraFormat, of source: StageID) {
        var report: JSONObject = [
            "device": .string(format.device), "format": .string(format.format.rawValue),
            "size": .string("\(format.size)")
        ]
        if let rate = format.framesPerSecond { report["fps"] = .double(rate) }
        environment.devices.put(report, of: source)
    }

    private func tell(_ statistics: CameraStatistics, of source: StageID) {
        environment.sink.emit(
            .stats([
                "frames": .int(statistics.frames), "delivered": .int(statistics.delivered),
                "damaged": .int(statistics.damaged), "empty": .int(statistics.empty),
                "flagged": .int(statistics.flagged), "thinned": .int(statistics.thinned),
                "superseded": .int(statistics.superseded), "missing": .int(statistics.missingBySequence),
                "restarts": .int(statistics.restarts), "reopens": .int(statistics.reopens),
                "measured_fps": .double((statistics.measuredFPS * 100).rounded() / 100)
            ]), src: source.name)
    }
}
