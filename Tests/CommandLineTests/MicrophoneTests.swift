import Foundation
import TestSupport
import Testing

/// A microphone of ALSA's `file` plugin: it is there as long as the file of its samples is. It needs no sound card.
private struct PluggedMicrophone {
    let scratch: Scratch
    private let samples: String

    init() throws {
        scratch = try Scratch()
        samples = "\(scratch.path)/in.raw"
        _ = try scratch.write("asound.conf", FileMicrophone.configuration(of: samples))
    }

    var environment: [String: String] { ["ALSA_CONFIG_PATH": "\(scratch.path)/asound.conf"] }

    func plug() throws { try Data(count: 640_000).write(to: URL(fileURLWithPath: samples), options: .atomic) }

    static let isPossible =
        Program.isBuilt && FileManager.default.fileExists(atPath: "/usr/share/alsa/alsa.conf")
}

/// The program on microphones that are not there, or never will be, and what it says of one that is.
@Suite(.serialized, .enabled(if: PluggedMicrophone.isPossible, "needs the built program and ALSA's configuration"))
struct MicrophoneTests {
    @Test func aMicrophoneThatIsNotThereAtTheStartIsToldWaitedForAndThenDescribed() throws {
        let microphone = try PluggedMicrophone()
        defer { microphone.scratch.remove() }
        let start = Date()
        let daemon = try DeviceDaemon(
            microphone.scratch, environment: microphone.environment,
            stages: [
                "desk: { kind: alsa, device: testmic, rate_hz: 16000, channels: 1 }",
                "speech: { kind: resample, from: desk }"
            ])
        let lost = try daemon.wait(for: "device.lost", 1, of: "desk", after: ("start without a microphone", start))
        #expect((lost["message"] as? String)?.contains("There is no microphone at 'testmic'. Plug it in") == true)
        var status = try daemon.ask("status")
        #expect((status["sources"] as? [[String: Any]])?.first?["state"] as? String == "lost")
        #expect((status["devices"] as? [Any])?.isEmpty == true)

        // Longer than what it has in its buffer when it is opened: that much of its sound is from before.
        usleep(1_500_000)
        try microphone.plug()
        let restored = try daemon.wait(for: "device.restored", 1, of: "desk", after: ("plug", Date()))
        #expect((restored["lost_ms"] as? Int ?? 0) > 0)
        try DeviceDaemon.wait(for: "sound") {
            status = (try? daemon.ask("status")) ?? [:]
            let stages = status["stages"] as? [[String: Any]]
            return (stages?.last?["packets_in"] as? Int ?? 0) > 0
        }
        #expect((status["sources"] as? [[String: Any]])?.first?["state"] as? String == "running")
        let device = try #require((status["devices"] as? [[String: Any]])?.first)
        #expect(device["id"] as? String == "desk" && device["device"] as? String == "testmic")
        #expect(device["rate_hz"] as? Int == 16_000 && device["channels"] as? Int == 1)
        #expect(device["period_ms"] as? Int == 20 && device["buffer_ms"] as? Int == 500)
        #expect(device["realtime_priority"] is Int && device["format"] is String)

        let result = daemon.stop()
        #expect(result.status == 0, "\(result.errors)")
        #expect(daemon.events("device.lost", of: "desk").count == 1)
        #expect(daemon.events("device.overrun", of: "desk").isEmpty)
    }

    @Test func aNameThatALSADoesNotKnowEndsTheDaemonAndIsANoteOfCheck() throws {
        let microphone = try PluggedMicrophone()
        defer { microphone.scratch.remove() }
        let pipeline = try microphone.scratch.write("p.yaml", "stages: { desk: { kind: alsa, device: nonsense } }\n")
        let result = try Program.run(
            "run", pipeline, "--socket", "\(microphone.scratch.path)/s", environment: microphone.environment)
        #expect(result.status == 69)
        #expect(result.errors.contains("'nonsense' cannot be used: ALSA knows no such name"))
        let check = try Program.run("check", pipeline, environment: microphone.environment)
        #expect(check.status == 0)
        #expect(check.errors.contains("note: ") && check.errors.contains("ALSA knows no such name"))
    }

    @Test func devicesShowsWhatAMicrophoneOffers() throws {
        let microphone = try PluggedMicrophone()
        defer { microphone.scratch.remove() }
        try microphone.plug()
        let listing = try Program.run("devices", "--json", environment: microphone.environment)
        let listed = try #require(listing.lines.first?["microphones"] as? [[String: Any]])
        let device = try #require(listed.first { $0["device"] as? String == "testmic16" })
        #expect(device["name"] as? String == "A test microphone" && device["state"] as? String == "free")
        #expect(device["rates_hz"] as? [Int] == [16_000])
        #expect((device["formats"] as? [String])?.contains("s16le") == true)
        #expect(device["channels_min"] is Int && device["channels_max"] is Int)
        let table = try Program.run("devices", environment: microphone.environment)
        #expect(table.output.contains("testmic16") && table.output.contains("A test microphone"))
    }
}
