import Foundation
import TestSupport
import Testing

/// The program on cameras that fail in every way: what it says on its socket, and that it gets up again.
@Suite(.serialized, .enabled(if: FakeCameras.isPossible, "needs the built program and a C compiler"))
struct CameraTests {
    private func stage(_ name: String, _ cameras: FakeCameras, _ node: String, _ settings: String = "") -> String {
        "\(name): { kind: v4l2, device: \"\(cameras.path(node))\"\(settings) }"
    }

    /// Waits until the node streams for the `count`th time and some frames have come.
    private func waitForStream(_ cameras: FakeCameras, _ node: String, count: Int = 1) throws {
        try DeviceDaemon.wait(for: "stream of \(node)") {
            cameras.log(of: node).filter { $0 == "stream" }.count >= count
        }
        usleep(400_000)
    }

    @Test func aPulledPlugIsToldAndTheCameraComesBackUnderItsNumberOrAnother() throws {
        let cameras = try FakeCameras()
        defer { cameras.remove() }
        try cameras.plug("video0", ["card": "Left", "bus": "usb-1"])
        try cameras.plug("video1", ["card": "Right", "bus": "usb-2", "format": "yuyv", "size": "320x240", "fps": "15"])
        let daemon = try DeviceDaemon(
            cameras, stages: [stage("left", cameras, "video0"), stage("right", cameras, "video1")])
        try waitForStream(cameras, "video0")
        try waitForStream(cameras, "video1")

        var now = Date()
        try cameras.unplug("video0")
        let lost = try daemon.wait(for: "device.lost", 1, of: "left", after: ("unplug", now))
        #expect((lost["message"] as? String)?.contains("unplugged") == true)
        try DeviceDaemon.wait(for: "close") { cameras.log(of: "video0").last == "close" }
        usleep(1_300_000)  // into the back-off, which the folder's change must cut short
        now = Date()
        try cameras.plug("video0", ["card": "Left", "bus": "usb-1"])
        let restored = try daemon.wait(for: "device.restored", 1, of: "left", after: ("replug", now))
        #expect((restored["lost_ms"] as? Int ?? 0) >= 1_300)

        usleep(500_000)
        now = Date()
        try cameras.unplug("video0")
        _ = try daemon.wait(for: "device.lost", 2, of: "left", after: ("unplug", now))
        now = Date()
        try cameras.plug("video5", ["card": "Left", "bus": "usb-1"])
        _ = try daemon.wait(for: "device.restored", 2, of: "left", after: ("replug as video5", now))

        let result = daemon.stop()
        #expect(result.status == 0, "\(result.errors)")
        #expect(daemon.events("device.lost", of: "right").isEmpty)
        let counters = try #require(daemon.events("stats", of: "right").last)
        #expect((counters["delivered"] as? Int ?? 0) > 5)
        #expect(result.errors.contains("(Right) gives yuyv 320x240 at 15 frames/s"))
        #expect(daemon.events("stats", of: "left").last?["reopens"] as? Int == 2)
    }

    @Test(
        .enabled(
            if: RealData.model("efficientnet-lite0") != nil,
            Comment(rawValue: RealData.needsModel("efficientnet-lite0"))))
    func whatACameraSeesIsToldAlsoAfterItWasUnplugged() throws {
        let cameras = try FakeCameras()
        defer { cameras.remove() }
        func show(_ scene: String) throws {
            try cameras.show(try Data(contentsOf: URL(fileURLWithPath: "\(RealData.samples)/scenes/\(scene).jpg")))
        }
        try show("coffee")
        try cameras.plug("video0")
        let daemon = try DeviceDaemon(
            cameras,
            stages: [
                stage("camera", cameras, "video0"), "changes: { kind: scene_change, from: camera, min_interval_s: 1 }",
                "labels: { kind: label, from: changes, model: efficientnet-lite0 }",
                "events: { kind: events, from: labels }"
            ])
        var now = Date()
        let first = try daemon.wait(for: "scene.final", 1, of: "camera", after: ("start", now))
        #expect(first["reason"] as? String == "first")
        #expect((first["text"] as? String)?.contains("espresso") == true)

        usleep(1_200_000)
        now = Date()
        try show("cat_chelsea")
        let second = try daemon.wait(for: "scene.final", 2, of: "camera", after: ("another view", now))
        #expect(second["reason"] as? String == "change")
        #expect((second["text"] as? String)?.contains("cat") == true)

        now = Date()
        try cameras.unplug("video0")
        _ = try daemon.wait(for: "device.lost", 1, of: "camera", after: ("unplug", now))
        try show("rocket")
        usleep(700_000)
        now = Date()
        try cameras.plug("video0")
        _ = try daemon.wait(for: "device.restored", 1, of: "camera", after: ("replug", now))
        let third = try daemon.wait(for: "scene.final", 3, of: "camera", after: ("replug", now))
        #expect(third["reason"] as? String == "change")

        let result = daemon.stop()
        #expect(result.status == 0, "\(result.errors)")
        #expect(daemon.events("scene.started", of: "camera").count == 3)
        #expect(daemon.events("device.lost", of: "camera").count == 1)
    }

    @Test(arguments: [("freeze", "restart"), ("freeze", "reopen"), ("eio", "restart"), ("eio", "reopen")])
    func aStreamThatFailsIsToldAndStartedAgain(fault: String, remedy: String) throws {
        let cameras = try FakeCameras()
        defer { cameras.remove() }
        try cameras.plug("video0")
        let daemon = try DeviceDaemon(cameras, stages: [stage("camera", cameras, "video0")])
        try waitForStream(cameras, "video0")
        usleep(200_000)
        let now = Date()
        try cameras.plug("video0", [fault: remedy])
        let lost = try daemon.wait(for: "device.lost", 1, of: "camera", after: ("\(fault) until \(remedy)", now))
        #expect((lost["message"] as? String)?.isEmpty == false)
        _ = try daemon.wait(for: "device.restored", 1, of: "camera", after: ("\(fault) until \(remedy)", now))
        let result = daemon.stop()
        #expect(result.status == 0, "\(result.errors)")
        let counters = try #require(daemon.events("stats", of: "camera").last)
        #expect((counters["restarts"] as? Int ?? 0) >= 1)
        #expect((counters["reopens"] as? Int ?? 0) == (remedy == "reopen" ? 1 : 0))
    }

    @Test func aCameraThatIsNotThereOrBusyIsWaitedFor() throws {
        let cameras = try FakeCameras()
        defer { cameras.remove() }
        let start = Date()
        let daemon = try DeviceDaemon(cameras, stages: [stage("camera", cameras, "video3")])
        let lost = try daemon.wait(for: "device.lost", 1, of: "camera", after: ("start without a camera", start))
        #expect((lost["message"] as? String)?.contains("Plug it in") == true)
        try cameras.plug("video3", ["busy": "1"])
        usleep(600_000)
        try cameras.plug("video3")
        _ = try daemon.wait(for: "device.restored", 1, of: "camera", after: ("start", start))
        let result = daemon.stop()
        #expect(result.status == 0)
        #expect(daemon.events("device.lost", of: "camera").count == 1)
    }

    @Test func badFramesAreCountedOneByOneAndLeftOut() throws {
        let cameras = try FakeCameras()
        defer { cameras.remove() }
        try cameras.plug(
            "video0",
            ["fps": "60", "error": "7", "empty": "11", "truncate": "13", "drop": "17", "junk": "5", "ahead": "30"])
        let daemon = try DeviceDaemon(cameras, stages: [stage("camera", cameras, "video0", ", fps: 20")])
        try waitForStream(cameras, "video0")
        sleep(2)
        let result = daemon.stop()
        #expect(result.status == 0, "\(result.errors)")
        #expect(daemon.events("device.lost", of: "camera").isEmpty)
        #expect(result.errors.contains("asked for: 20 frames/s, to which it is thinned"))
        let counters = try #require(daemon.events("stats", of: "camera").last).compactMapValues { $0 as? Int }
        for key in ["frames", "delivered", "damaged", "empty", "flagged", "thinned", "missing"] {
            #expect((counters[key] ?? 0) > 0, "\(key)")
        }
        let accounted = ["delivered", "damaged", "empty", "flagged", "thinned", "superseded"]
            .reduce(0) { $0 + (counters[$1] ?? 0) }
        // One may have been waiting to be taken.
        #expect([0, 1].contains((counters["frames"] ?? 0) - accounted), "\(counters)")
    }

    @Test(arguments: [("meta", "metadata node"), ("m2m", "converter or codec")])
    func aNodeThatIsNoCameraIsRefusedByName(node: String, reason: String) throws {
        let cameras = try FakeCameras()
        defer { cameras.remove() }
        try cameras.plug("video0", ["node": node])
        let pipeline = try cameras.scratch.write("p.yaml", "stages: { \(stage("camera", cameras, "video0")) }\n")
        let result = try Program.run(
            "run", pipeline, "--socket", "\(cameras.scratch.path)/s", environment: cameras.environment)
        #expect(result.status == 69)
        #expect(result.errors.contains(reason))
        let check = try Program.run("check", pipeline, environment: cameras.environment)
        #expect(check.status == 0)
        #expect(check.errors.contains("note: ") && check.errors.contains(reason))
    }

    @Test func devicesShowsWhatACameraOffers() throws {
        let cameras = try FakeCameras()
        defer { cameras.remove() }
        var environment = cameras.environment
        environment["FAKEV4L_DEV"] = "/dev/video7"
        environment["FAKEV4L_CARD"] = "Test Webcam"
        let listing = try Program.run("devices", "--json", environment: environment)
        let object = try #require(listing.lines.first?["cameras"] as? [[String: Any]])
        let camera = try #require(object.first { $0["device"] as? String == "/dev/video7" })
        #expect(camera["name"] as? String == "Test Webcam" && camera["bus"] as? String == "preload")
        let format = try #require((camera["formats"] as? [[String: Any]])?.first)
        #expect(format["format"] as? String == "mjpeg")
        let size = try #require((format["sizes"] as? [[String: Any]])?.first)
        #expect(size["width"] as? Int == 640 && size["height"] as? Int == 480 && size["fps"] as? [Double] == [30])
        let table = try Program.run("devices", environment: environment)
        #expect(table.output.contains("/dev/video7  Test Webcam  mjpeg   640x480 (30)"))
    }
}
