import Capture
import Foundation
import Media
import Synchronization
import Testing

/// Cameras of the device lab: `Tests/DeviceLab/camera-faults.sh` loads the drivers and runs this suite, which plugs in,
/// breaks and pulls out what it needs. Only what happens is judged, never how fast: the processor is emulated.
private struct Lab {
    /// vivid's node.
    var vivid: String
    /// The node that the USB camera will have.
    var usb: String
    /// JPEGs that it shows.
    var frames: String

    static let current: Lab? = {
        let environment = ProcessInfo.processInfo.environment
        guard let vivid = environment["NARRATOR_LAB_VIVID"], let usb = environment["NARRATOR_LAB_USB"],
            let frames = environment["NARRATOR_LAB_FRAMES"]
        else { return nil }
        return Lab(vivid: vivid, usb: usb, frames: frames)
    }()

    /// Plugs the USB camera in; it stays until `unplug`.
    func plugIn(_ faults: String = "") throws {
        let camera = try LabShell.start("exec usbsim cam --size 640x480 --fps 15 \(faults) \(frames)")
        plugged.withLock { $0 = camera }
    }

    func unplug() {
        guard let camera = plugged.withLock({ $0.take() }) else { return }
        LabShell.kill(camera)
    }
}

/// The process that is the USB camera: there is one at a time.
private let plugged = Mutex<Process?>(nil)

/// What a camera gave and told.
private struct CameraState {
    var frames: [VideoFrame] = []
    var formats: [CameraFormat] = []
    var lost: [String] = []
    var restored: [MediaTime] = []
    var statistics = CameraStatistics()
    var latest = Int64.min

    mutating func note(_ news: CameraNews, streamZero: Int64) {
        switch news {
        case .frame(let frame):
            if frames.count < 200 { frames.append(frame) }
            latest = max(latest, frame.time.nanoseconds - (MonotonicClock.now() - streamZero))
        case .opened(let format):
            formats.append(format)
            print("lab: \(format)")
        case .device(.lost(let message, let time)):
            lost.append(message)
            print("lab: lost at \(time): \(message)")
        case .device(.restored(let lost, let time)):
            restored.append(time)
            print("lab: restored at \(time), \(lost) missing")
        case .device(.obstacle(let message)): print("lab: \(message)")
        case .device(.overrun): break
        }
    }
}

private typealias Recording = DeviceRecording<CameraState>

extension DeviceRecording<CameraState> {
    fileprivate convenience init(_ request: CameraRequest) {
        let streamZero = MonotonicClock.now()
        self.init(CameraState()) { recording in
            let camera = try Camera(request, streamZero: streamZero)
            while let news = try await camera.next() {
                let statistics = camera.statistics
                recording.state.withLock { state in
                    state.statistics = statistics
                    state.note(news, streamZero: streamZero)
                }
            }
        }
    }
}

@Suite(.enabled(if: Lab.current != nil, "waits for the device lab"), .serialized)
struct CameraLabTests {
    private let lab: Lab

    init() throws { lab = try #require(Lab.current) }

    /// Reads a camera while `body` runs, with a USB camera plugged in if there are `faults`; whatever happens, nothing of
    /// it is left for the next test.
    private func record(
        _ title: String, _ request: CameraRequest, usb faults: String? = nil,
        _ body: (Recording) async throws -> Void
    ) async throws {
        if let faults { try lab.plugIn(faults) }
        let recording = Recording(request)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(recording))
        } catch {
            result = .failure(error)
        }
        await recording.end()
        print("lab: \(title): \(recording.state.withLock { $0.statistics })")
        lab.unplug()
        try result.get()
    }

    @Test func `a USB camera delivers its pictures, is lost when unplugged and comes back`() async throws {
        let request = CameraRequest(device: lab.usb, size: PixelSize(width: 640, height: 480))
        try await record("unplugged and back", request, usb: "") { recording in
            try await recording.wait(for: "frames") { $0.frames.count >= 30 }
            let listed = DeviceList.cameras()
            let camera = try #require(listed.first { $0.device == lab.usb })
            #expect(camera.formats.first?.format == .mjpeg)
            #expect(listed.filter { $0.bus == camera.bus }.count == 1, "its metadata node is listed")
            // It was started before its node was there, which was told as well.
            let told = recording.state.withLock { $0.lost.count }
            lab.unplug()
            try await recording.wait(for: "lost") { $0.lost.count > told }
            try await Task.sleep(for: .seconds(2))
            try lab.plugIn()
            try await recording.wait(for: "restored") { $0.restored.count == $0.lost.count }
            let before = recording.state.withLock { $0.statistics.delivered }
            try await recording.wait(for: "more frames") { $0.statistics.delivered > before + 10 }
            recording.state.withLock { state in
                #expect(state.lost.last?.contains("unplugged") == true && state.lost.count == told + 1)
                #expect(state.formats.first?.format == .mjpeg)
                #expect(state.formats.first?.size == PixelSize(width: 640, height: 480))
                #expect(state.frames.allSatisfy { $0.bytes.starts(with: [0xff, 0xd8]) })
                #expect(zip(state.frames, state.frames.dropFirst()).allSatisfy { $0.time < $1.time })
                #expect(state.statistics.reopens == 1)
            }
        }
    }

    @Test func `broken frames are left out and counted`() async throws {
        let faults = "--truncate 5 --garbage 7 --empty 9 --error-bit 11"
        try await record(faults, CameraRequest(device: lab.usb), usb: faults) { recording in
            // Garbage between the ends passes here: only a decoder sees it. Empty and flagged ones uvcvideo drops.
            try await recording.wait(for: "all faults") {
                $0.statistics.damaged >= 3 && $0.statistics.missingBySequence >= 3 && $0.frames.count >= 20
            }
            recording.state.withLock { state in
                #expect(state.frames.allSatisfy { $0.bytes.suffix(2) == [0xff, 0xd9] })
                #expect(state.formats.first?.format == .mjpeg)
            }
        }
    }

    @Test func `frames without Huffman tables pass`() async throws {
        try await record("no Huffman tables", CameraRequest(device: lab.usb), usb: "--no-dht") { recording in
            try await recording.wait(for: "frames") { $0.frames.count >= 10 }
        }
    }

    @Test func `what a camera does not have libv4l2 converts`() async throws {
        try await record("converted", CameraRequest(device: lab.usb, format: .rgb24), usb: "") { recording in
            try await recording.wait(for: "frames") { $0.frames.count >= 3 }
            recording.state.withLock { state in
                #expect(state.formats.first?.isConverted == true)
                #expect(state.frames.allSatisfy { $0.format == .rgb24 && $0.bytes.count == 640 * 480 * 3 })
                #expect(state.frames.contains { Set($0.bytes).count > 10 })
            }
        }
    }

    @Test func `a frozen camera is told, and delivers again once it is plugged in anew`() async throws {
        try await record("frozen", CameraRequest(device: lab.usb), usb: "--freeze-after 4") { recording in
            try await recording.wait(for: "frames") { $0.frames.count >= 10 }
            try await recording.wait(for: "freeze told") { $0.lost.last?.contains("stopped delivering") == true }
            let restored = recording.state.withLock { $0.restored.count }
            lab.unplug()
            try lab.plugIn()
            try await recording.wait(for: "restored") { $0.restored.count > restored }
            #expect(recording.state.withLock { $0.statistics.restarts } >= 1)
        }
    }

    @Test func `a raw camera with every fault of vivid is told, counted and survived`() async throws {
        let request = CameraRequest(
            device: lab.vivid, size: PixelSize(width: 320, height: 180), framesPerSecond: 15)
        try await record("vivid", request) { recording in
            try await recording.wait(for: "frames") { $0.frames.count >= 15 }
            try LabShell.run("v4l2-ctl -d \(lab.vivid) -c inject_v4l2_buf_flag_error=1")
            try await recording.wait(for: "a flagged frame") { $0.statistics.flagged >= 1 }
            let calm = recording.state.withLock { ($0.lost.count, $0.restored.count) }
            #expect(calm.0 == calm.1)

            try LabShell.run("v4l2-ctl -d \(lab.vivid) -c inject_fatal_streaming_error=1")
            try await recording.wait(for: "the error told") { $0.lost.count > calm.0 }
            try await recording.wait(for: "recovery") { $0.restored.count == $0.lost.count }
            #expect(recording.state.withLock { $0.statistics.restarts + $0.statistics.reopens } >= 1)

            let before = recording.state.withLock { $0.lost.count }
            try LabShell.run("v4l2-ctl -d \(lab.vivid) -c disconnect=1")
            try await recording.wait(for: "disconnection told") { $0.lost.count > before }
            // vivid plugs itself in again when the last descriptor is closed: it stays away from whoever keeps one.
            try await recording.wait(for: "restored") { $0.restored.count == $0.lost.count }
            recording.state.withLock { state in
                #expect(state.formats.first?.format == .yuyv)
                #expect(state.formats.first?.size == PixelSize(width: 320, height: 180))
                #expect(state.frames.allSatisfy { $0.bytes.count == 320 * 180 * 2 })
                #expect(zip(state.frames, state.frames.dropFirst()).allSatisfy { $0.time < $1.time })
                // vivid stamps the end of a frame that it delivers early.
                #expect(state.latest <= 100_000_000)
            }
        }
    }

    @Test(arguments: PixelFormat.preferred.dropFirst())
    func `raw formats arrive whole`(format: PixelFormat) async throws {
        let request = CameraRequest(
            device: lab.vivid, size: PixelSize(width: 320, height: 180), framesPerSecond: 10, format: format)
        try await record(format.rawValue, request) { recording in
            try await recording.wait(for: "frames") { $0.frames.count >= 3 }
            let bytes =
                switch format {
                case .yuyv: 320 * 180 * 2
                case .nv12: 320 * 180 * 3 / 2
                case .grey: 320 * 180
                default: 320 * 180 * 3
                }
            recording.state.withLock { state in
                #expect(state.frames.allSatisfy { $0.format == format && $0.bytes.count == bytes })
            }
        }
    }
}
