@testable import Capture
import Foundation
import Media
import Testing

struct CameraFeedTests {
    private func frame(_ milliseconds: Int) -> VideoFrame {
        VideoFrame(
            time: MediaTime(milliseconds: milliseconds), size: PixelSize(width: 1, height: 1), format: .grey,
            bytesPerRow: 1, bytes: [0])
    }

    /// Everything there is, by its name; frames by their time.
    private func taken(from feed: CameraFeed) throws -> [String] {
        var names: [String] = []
        while let news = try feed.take() {
            switch news {
            case .frame(let frame): names.append("\(frame.time.milliseconds)")
            case .opened: names.append("opened")
            case .device(.lost): names.append("lost")
            case .device(.restored): names.append("restored")
            case .device(.obstacle): names.append("obstacle")
            case .device(.overrun): names.append("overrun")
            }
        }
        return names
    }

    @Test func `the newest frame wins, and what it replaced is counted`() throws {
        let feed = CameraFeed()
        for time in 1...4 { feed.put(frame(time)) }
        #expect(try taken(from: feed) == ["4"])
        #expect(feed.statistics.superseded == 3 && feed.statistics.delivered == 1)
    }

    @Test func `news keep their order and come before the frame`() throws {
        let feed = CameraFeed()
        feed.put(frame(1))
        feed.tell(.device(.lost(message: "gone", at: .zero)))
        feed.tell(.device(.restored(lost: .zero, at: .zero)))
        #expect(try taken(from: feed) == ["lost", "restored", "1"])
    }

    @Test func `a reader that never comes costs no memory`() throws {
        let feed = CameraFeed()
        for _ in 0..<10_000 { feed.tell(.device(.obstacle(message: "busy"))) }
        #expect(try taken(from: feed).count == 64)
    }

    @Test func `a failure comes last`() throws {
        let feed = CameraFeed()
        feed.put(frame(1))
        feed.fail(.deviceUnusable(message: "no"))
        #expect(try feed.take() != nil)
        #expect(throws: CaptureError.deviceUnusable(message: "no")) { _ = try feed.take() }
    }

    @Test(.timeLimit(.minutes(1))) func `a reader sleeps until there is something, or it is cancelled`() async {
        let feed = CameraFeed()
        let waiting = Task { await feed.wait() }
        feed.put(frame(1))
        #expect(await waiting.value)
        let cancelled = Task { await feed.wait() }
        cancelled.cancel()
        #expect(await !cancelled.value)
    }
}

struct NodeWatchTests {
    @Test func `a camera's node is noticed, and nothing else in its folder`() throws {
        let folder = try TemporaryFolder()
        let watch = NodeWatch(camera: folder.path("by-id-camera"))
        #expect(watch.drain() == .none)
        _ = try folder.write([], as: "something")
        #expect(watch.drain() == .none)
        _ = try folder.write([], as: "video12")
        #expect(watch.drain() == .appeared)
        _ = try folder.write([], as: "by-id-camera")
        #expect(watch.drain() == .appeared && watch.drain() == .none)
    }

    @Test func `permissions that come after the node are noticed`() throws {
        let folder = try TemporaryFolder()
        let node = try folder.write([], as: "video0")
        let watch = NodeWatch(camera: node)
        #expect(chmod(node, 0o600) == 0)
        #expect(watch.drain() == .appeared)
    }

    @Test func `a folder that comes later is watched from then on`() throws {
        let folder = try TemporaryFolder()
        let watch = NodeWatch(camera: folder.path("later/video0"))
        try FileManager.default.createDirectory(atPath: folder.path("later"), withIntermediateDirectories: true)
        watch.refresh()
        _ = try folder.write([], as: "later/video0")
        #expect(watch.drain() == .appeared)
    }
}

struct CardWatchTests {
    @Test func `a card's capturing node is noticed when it comes and when somebody lets go of it`() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("snd"), withIntermediateDirectories: true)
        let watch = NodeWatch(microphonesIn: folder.path("snd"))
        _ = try folder.write([], as: "snd/controlC1")
        _ = try folder.write([], as: "snd/pcmC1D0p")
        #expect(watch.drain() == .none)
        _ = try folder.write([], as: "snd/pcmC1D0c")
        #expect(watch.drain() == .appeared)
        let node = open(folder.path("snd/pcmC1D0c"), O_RDONLY)
        #expect(watch.drain() == .none)
        close(node)
        #expect(watch.drain() == .released && watch.drain() == .none)
    }

    @Test func `the first card of a machine is noticed by its folder`() throws {
        let folder = try TemporaryFolder()
        let watch = NodeWatch(microphonesIn: folder.path("snd"))
        try FileManager.default.createDirectory(atPath: folder.path("snd"), withIntermediateDirectories: true)
        #expect(watch.drain() == .appeared)
        watch.refresh()
        _ = try folder.write([], as: "snd/pcmC0D0c")
        #expect(watch.drain() == .appeared)
    }
}

/// Without a device: what is no camera.
struct AbsentCameraTests {
    @Test(.timeLimit(.minutes(1))) func `a camera that is not there is lost, and its reader can be cancelled`()
        async throws
    {
        let folder = try TemporaryFolder()
        let request = CameraRequest(device: folder.path("video0"))
        let reader = Task {
            let camera = try Camera(request, streamZero: MonotonicClock.now())
            var told: [String] = []
            while let news = try await camera.next() {
                if case .device(.lost(let message, _)) = news { told.append(message) }
                withUnsafeCurrentTask { $0?.cancel() }
            }
            return told
        }
        let told = try await reader.value
        #expect(told.count == 1 && told[0].contains("Plug it in"))
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["/dev/null", "/dev/zero"])
    func `what is no video device is refused`(path: String) async throws {
        let camera = try Camera(CameraRequest(device: path), streamZero: MonotonicClock.now())
        await #expect(throws: CaptureError.self) { while try await camera.next() != nil {} }
        #expect(DeviceList.obstacle(camera: path)?.contains("no video device") == true)
    }

    @Test func `a missing camera is a note`() {
        #expect(DeviceList.obstacle(camera: "/nowhere/video0")?.contains("There is no camera") == true)
    }
}
