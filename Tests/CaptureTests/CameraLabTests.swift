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
    /// What modprobe gets to load vivid.
    var vividOptions: String
    /// The node that the USB camera will have.
    var usb: String
    /// JPEGs that it shows.
    var frames: String

    static let current: Lab? = {
        let environment = ProcessInfo.processInfo.environment
        guard let vivid = environment["NARRATOR_LAB_VIVID"], let usb = environment["NARRATOR_LAB_USB"],
            let frames = environment["NARRATOR_LAB_FRAMES"]
        else { return nil }
        return Lab(
            vivid: vivid, vividOptions: environment["NARRATOR_LAB_VIVID_OPTIONS"] ?? "", usb: usb, frames: frames)
    }()

    @discardableResult
    static func shell(_ command: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", command]
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// A USB camera that is plugged in until `unplug`.
    func plugIn(_ faults: String = "") throws -> Process {
        let camera = Process()
        camera.executableURL = URL(filePath: "/bin/sh")
        camera.arguments = ["-c", "exec usbsim cam --size 640x480 --fps 15 \(faults) \(frames)"]
        try camera.run()
        return camera
    }

    func unplug(_ camera: Process) {
        // What a test starts inherits the blocked signals of its thread.
        kill(camera.processIdentifier, SIGKILL)
        camera.waitUntilExit()
    }
}

/// A camera that is read by a task of its own, and all that it told.
private final class Recording: Sendable {
    struct State {
        var frames: [VideoFrame] = []
        var formats: [CameraFormat] = []
        var lost: [String] = []
        var restored: [MediaTime] = []
        var statistics = CameraStatistics()
        var latest = Int64.min
    }

    struct Overdue: Error, CustomStringConvertible {
        let description: String
    }

    let state = Mutex(State())
    private let task = Mutex<Task<Void, any Error>?>(nil)

    init(_ request: CameraRequest) {
        let streamZero = MonotonicClock.now()
        let task = Task { [self] in
            let camera = try Camera(request, streamZero: streamZero)
            while let news = try await camera.next() {
                let statistics = camera.statistics
                state.withLock { state in
                    state.statistics = statistics
                    switch news {
                    case .frame(let frame):
                        if state.frames.count < 200 { state.frames.append(frame) }
                        let lead = frame.time.nanoseconds - (MonotonicClock.now() - streamZero)
                        state.latest = max(state.latest, lead)
                    case .opened(let format):
                        state.formats.append(format)
                        print("lab: \(format)")
                    case .lost(let message, let time):
                        state.lost.append(message)
                        print("lab: lost at \(time): \(message)")
                    case .restored(let lost, let time):
                        state.restored.append(time)
                        print("lab: restored at \(time), \(lost) missing")
                    case .obstacle(let message): print("lab: \(message)")
                    }
                }
            }
        }
        self.task.withLock { $0 = task }
    }

    func wait(for what: String, seconds: Double = 60, until condition: @Sendable (State) -> Bool) async throws {
        let limit = ContinuousClock.now + .seconds(seconds)
        while !state.withLock({ condition($0) }) {
            guard ContinuousClock.now < limit else { throw Overdue(description: "no \(what) within \(seconds) s") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Lets go of the camera.
    func end(_ title: String) async {
        let task = task.withLock { $0 }
        task?.cancel()
        _ = await task?.result
        print("lab: \(title): \(state.withLock { $0.statistics })")
    }
}

@Suite(.enabled(if: Lab.current != nil, "waits for the device lab"), .serialized)
struct CameraLabTests {
    private let lab: Lab

    init() throws { lab = try #require(Lab.current) }

    @Test func `a USB camera delivers its pictures, is lost when unplugged and comes back`() async throws {
        var usb = try lab.plugIn()
        let recording = Recording(CameraRequest(device: lab.usb, size: PixelSize(width: 640, height: 480)))
        try await recording.wait(for: "frames") { $0.frames.count >= 30 }
        let listed = DeviceList.cameras()
        #expect(listed.contains { $0.device == lab.usb && $0.formats.first?.format == .mjpeg })
        #expect(listed.filter { $0.bus == listed.first { $0.device == lab.usb }?.bus }.count == 1, "a metadata node")
        lab.unplug(usb)
        try await recording.wait(for: "lost") { !$0.lost.isEmpty }
        try await Task.sleep(for: .seconds(2))
        usb = try lab.plugIn()
        try await recording.wait(for: "restored") { !$0.restored.isEmpty }
        let before = recording.state.withLock { $0.statistics.delivered }
        try await recording.wait(for: "more frames") { $0.statistics.delivered > before + 10 }
        await recording.end("unplugged and back")
        lab.unplug(usb)
        recording.state.withLock { state in
            #expect(state.lost.count == 1 && state.restored.count == 1)
            #expect(state.formats.first?.format == .mjpeg)
            #expect(state.formats.first?.size == PixelSize(width: 640, height: 480))
            #expect(
                state.frames.allSatisfy { $0.bytes.starts(with: [0xff, 0xd8]) && $0.bytes.suffix(2) == [0xff, 0xd9] })
            #expect(zip(state.frames, state.frames.dropFirst()).allSatisfy { $0.time < $1.time })
            #expect(state.statistics.reopens == 1)
        }
    }

    @Test func `broken frames are left out and counted`() async throws {
        let usb = try lab.plugIn("--truncate 5 --garbage 7 --empty 9 --error-bit 11")
        let recording = Recording(CameraRequest(device: lab.usb))
        try await recording.wait(for: "all faults") {
            $0.statistics.damaged >= 3 && $0.statistics.missingBySequence >= 3 && $0.frames.count >= 20
        }
        await recording.end("truncated, garbage, empty, error bit")
        lab.unplug(usb)
        recording.state.withLock { state in
            #expect(state.frames.allSatisfy { $0.bytes.suffix(2) == [0xff, 0xd9] })
            #expect(state.formats.first?.format == .mjpeg)
        }
    }

    @Test func `frames without Huffman tables pass`() async throws {
        let usb = try lab.plugIn("--no-dht")
        let recording = Recording(CameraRequest(device: lab.usb))
        try await recording.wait(for: "frames") { $0.frames.count >= 10 }
        await recording.end("no Huffman tables")
        lab.unplug(usb)
    }

    @Test func `a frozen camera is told, and delivers again once it is plugged in anew`() async throws {
        var usb = try lab.plugIn("--freeze-after 4")
        let recording = Recording(CameraRequest(device: lab.usb))
        try await recording.wait(for: "frames") { $0.frames.count >= 10 }
        try await recording.wait(for: "freeze told") { $0.lost.last?.contains("stopped delivering") == true }
        let restored = recording.state.withLock { $0.restored.count }
        lab.unplug(usb)
        usb = try lab.plugIn()
        try await recording.wait(for: "restored") { $0.restored.count > restored }
        await recording.end("frozen")
        lab.unplug(usb)
        #expect(recording.state.withLock { $0.statistics.restarts } >= 1)
    }

    @Test func `a raw camera with every fault of vivid is told, counted and survived`() async throws {
        let recording = Recording(
            CameraRequest(device: lab.vivid, size: PixelSize(width: 320, height: 180), framesPerSecond: 15))
        try await recording.wait(for: "frames") { $0.frames.count >= 15 }
        try Lab.shell("v4l2-ctl -d \(lab.vivid) -c inject_v4l2_buf_flag_error=1")
        try await recording.wait(for: "a flagged frame") { $0.statistics.flagged >= 1 }
        let calm = recording.state.withLock { ($0.lost.count, $0.restored.count) }
        #expect(calm.0 == calm.1)

        try Lab.shell("v4l2-ctl -d \(lab.vivid) -c inject_fatal_streaming_error=1")
        try await recording.wait(for: "the error told") { $0.lost.count > calm.0 }
        try await recording.wait(for: "recovery") { $0.restored.count == $0.lost.count }
        #expect(recording.state.withLock { $0.statistics.restarts + $0.statistics.reopens } >= 1)

        let before = recording.state.withLock { $0.lost.count }
        try Lab.shell("v4l2-ctl -d \(lab.vivid) -c disconnect=1")
        try await recording.wait(for: "disconnection told") { $0.lost.count > before }
        // The driver can go only when everything of it is closed and unmapped.
        try await Task.sleep(for: .seconds(1))
        var status: Int32 = 1
        for _ in 0..<40 where status != 0 {
            status = try Lab.shell("rmmod vivid")
            if status != 0 { try await Task.sleep(for: .milliseconds(250)) }
        }
        #expect(status == 0)
        try Lab.shell("modprobe vivid \(lab.vividOptions)")
        try await recording.wait(for: "restored") { $0.restored.count == $0.lost.count }
        await recording.end("vivid")
        recording.state.withLock { state in
            #expect(state.formats.first?.format == .yuyv)
            #expect(state.formats.first?.size == PixelSize(width: 320, height: 180))
            #expect(state.frames.allSatisfy { $0.bytes.count == 320 * 180 * 2 })
            #expect(zip(state.frames, state.frames.dropFirst()).allSatisfy { $0.time < $1.time })
            // vivid stamps the end of a frame that it delivers early.
            #expect(state.latest <= 100_000_000)
        }
    }

    @Test(arguments: PixelFormat.preferred.dropFirst())
    func `raw formats arrive whole`(format: PixelFormat) async throws {
        let recording = Recording(
            CameraRequest(
                device: lab.vivid, size: PixelSize(width: 320, height: 180), framesPerSecond: 10, format: format))
        try await recording.wait(for: "frames") { $0.frames.count >= 3 }
        await recording.end(format.rawValue)
        recording.state.withLock { state in
            let bytes =
                switch format {
                case .yuyv: 320 * 180 * 2
                case .nv12: 320 * 180 * 3 / 2
                case .grey: 320 * 180
                default: 320 * 180 * 3
                }
            #expect(state.frames.allSatisfy { $0.format == format && $0.bytes.count == bytes })
        }
    }
}
