import Foundation
import Graph
import Media
import Scenes
import Signal
import Stages
import Synchronization
import TestSupport

/// Runs pictures through a `scene_change` worker as a graph would.
final class SceneChangeHarness {
    struct Told: Hashable, CustomStringConvertible {
        let number: Int
        let reason: SceneReason
        /// Of the frame that is told.
        let frame: MediaTime
        /// When it is told: the newest frame then; nil: at the end.
        let at: MediaTime?
        var description: String { "\(reason) \(frame) at \(at.map(\.description) ?? "the end")" }
    }

    /// What the worker may call from anywhere.
    private final class Outside: Sendable {
        let numbers = Mutex(0)
        let reports = Mutex<[String]>([])
    }

    let worker: SceneChangeWorker
    private let outside: Outside
    private let output = Output(origin: "camera")
    private(set) var told: [Told] = []
    var reports: [String] { outside.reports.withLock { $0 } }
    var reasons: [SceneReason] { told.map(\.reason) }

    init(
        _ settings: SceneGateSettings = SceneGateSettings(), zones: [UnitRectangle] = [], mask: [UnitRectangle] = []
    ) {
        let outside = Outside()
        self.outside = outside
        worker = SceneChangeWorker(
            settings, ViewComparison(zones: zones, mask: mask),
            nextScene: {
                SceneID(
                    outside.numbers.withLock {
                        $0 += 1
                        return $0
                    })
            },
            report: { notice in outside.reports.withLock { $0.append(notice) } })
    }

    func show(_ frame: VideoFrame) throws {
        try worker.offer(Packet(frame, origin: "camera"))
        try collect(at: frame.time)
    }

    func control(_ control: StageControl, at time: MediaTime) throws {
        try worker.control(control)
        try collect(at: time)
    }

    func finish() throws {
        try worker.finish()
        try collect(at: nil)
    }

    private func collect(at time: MediaTime?) throws {
        _ = try worker.work(output)
        told += try output.take().map { packet in
            let value = try packet.value(as: SceneFrame.self)
            precondition(value.frame.time == value.scene.frameTime, "\(value.scene)")
            return Told(number: value.scene.id.number, reason: value.scene.reason, frame: value.frame.time, at: time)
        }
    }
}

/// The shared sequences and photographs.
enum SharedPictures {
    static let folder = RealData.shared("images")
    static let reason = "needs the shared pictures: set NARRATOR_TEST_DATA"

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder ?? "")/\(path)")))
    }

    /// The frames of a numbered sequence, as JPEGs.
    static func sequence(_ name: String) throws -> [[UInt8]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder ?? "")/\(name)")
        return try names.filter { $0.hasSuffix(".jpg") }.sorted().map { try bytes("\(name)/\($0)") }
    }

    static var photographs: [String] {
        let names = folder.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
        return names.filter { $0.hasSuffix(".jpg") }.sorted()
    }
}

extension VideoFrame {
    init(jpeg: [UInt8], at time: MediaTime) {
        self.init(time: time, size: PixelSize(width: 0, height: 0), format: .mjpeg, bytesPerRow: 0, bytes: jpeg)
    }

    /// The `index`-th of a stream.
    static func time(_ index: Int, fps: Int) -> MediaTime {
        MediaTime(nanoseconds: Int64(index) * 1_000_000_000 / Int64(fps))
    }
}
