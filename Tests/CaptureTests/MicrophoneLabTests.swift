import Capture
import Foundation
import Media
import Synchronization
import TestSupport
import Testing

/// What a kernel sound card delivers, and what becomes of every fault that it can have. Only what happens is judged,
/// never how fast: the processor may be emulated. How fast it was is printed.
@Suite(.enabled(if: SoundLab.isThere, "waits for the device lab"), .serialized)
struct MicrophoneLabTests {
    private let s16 = AudioFormat(rateHz: 48_000, channels: 2, sampleFormat: .s16)

    /// Reads a microphone while `body` runs; whatever happens, nothing of it is left for the next test.
    private func record(
        _ device: String, _ body: (MicrophoneRecording) async throws -> Void
    ) async throws {
        let recording = MicrophoneRecording(MicrophoneRequest(device: device))
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(recording))
        } catch {
            result = .failure(error)
        }
        await recording.end()
        try result.get()
    }

    private func sound(_ recording: MicrophoneRecording, milliseconds: Int) async throws {
        try await recording.wait(for: "sound") { state in
            state.frames >= (state.formats.last?.sound.rateHz ?? 0) * milliseconds / 1_000 && state.frames > 0
        }
    }

    /// Blocks follow each other in time, but for what is stated as lost.
    private func expectRightTimes(_ blocks: [AudioBlock], sourceLocation: SourceLocation = #_sourceLocation) {
        for (block, next) in zip(blocks, blocks.dropFirst()) {
            let deviation = (next.time - block.end - next.lostBefore).seconds
            #expect(abs(deviation) < 0.005, "\(deviation) s", sourceLocation: sourceLocation)
        }
    }

    @Test(
        arguments: [
            (.s16, 48_000, 2), (.s24, 44_100, 2), (.s24Packed, 16_000, 1), (.s32, 48_000, 1), (.float32, 32_000, 4)
        ] as [(SampleFormat, Int, Int)])
    func `what is played is captured sample for sample`(
        sampleFormat: SampleFormat, rateHz: Int, channels: Int
    ) async throws {
        let format = AudioFormat(rateHz: rateHz, channels: channels, sampleFormat: sampleFormat)
        let noise = LabNoise(format, seconds: 3, seed: 7)
        let player = try LabPlayer(noise)
        try await record(SoundLab.loopback) { recording in
            try await sound(recording, milliseconds: 1_500)
            await recording.end()
            recording.state.withLock { state in
                #expect(state.formats.map(\.sound) == [format])
                #expect(state.formats[0].period == MediaTime(milliseconds: 20))
                #expect(noise.place(of: state.samples) != nil, "the captured stretch is not in the noise")
                #expect(state.lost.isEmpty && state.overruns.isEmpty && state.statistics.framesDropped == 0)
                expectRightTimes(state.blocks)
                // Captured now, not some time ago: stream time is that of the clock.
                #expect(state.blocks[0].time.seconds < 5)
            }
        }
        withExtendedLifetime(player) {}
    }

    @Test func `an overrun is stated with what it cost, and the time after it is right`() async throws {
        let noise = LabNoise(s16, seconds: 7, seed: 8)
        let player = try LabPlayer(noise)
        try await record(SoundLab.loopback) { recording in
            try await sound(recording, milliseconds: 500)
            // A process that is stopped reads nothing: the device's half second runs over.
            let id = ProcessInfo.processInfo.processIdentifier
            try LabShell.run("kill -STOP \(id); sleep 2; kill -CONT \(id)")
            try await recording.wait(for: "overrun") { !$0.overruns.isEmpty }
            let frames = recording.state.withLock { $0.frames }
            try await recording.wait(for: "sound after it") { $0.frames > frames + 24_000 }
            await recording.end()
            try recording.state.withLock { state in
                #expect(state.lost.isEmpty && state.statistics.deviceOverruns >= 1)
                let gap = try #require(state.blocks.firstIndex { $0.lostBefore > .zero })
                let lost = state.blocks[gap].lostBefore
                #expect(state.overruns.first == lost && lost.seconds > 1 && lost.seconds < 20)
                expectRightTimes(state.blocks)
                // Both sides are whole, and as far apart in the noise as the gap says.
                let before = state.blocks[..<gap].flatMap(\.samples)
                let first = try #require(noise.place(of: before))
                let after = state.blocks[gap...].prefix { $0.lostBefore == lost || $0.lostBefore == .zero }
                let second = try #require(noise.place(of: after.flatMap(\.samples)))
                let length = noise.samples.count / 2
                let skipped = (second - first - before.count / 2 + 100 * length) % length
                #expect(abs(skipped - lost.samples(rateHz: 48_000) % length) < 48_000 / 20)
            }
        }
        withExtendedLifetime(player) {}
    }

    @Test func `a device that another program has is waited for`() async throws {
        let other = try LabShell.start(
            "exec arecord -q -D \(SoundLab.loopback),SUBDEV=0 -f S16_LE -r 48000 -c 2 /dev/null")
        let second = try LabShell.start(
            "exec arecord -q -D \(SoundLab.loopback),SUBDEV=1 -f S16_LE -r 48000 -c 2 /dev/null")
        for sub in 0...1 {
            let status = "/proc/asound/Loopback/pcm1c/sub\(sub)/status"
            try LabShell.run("until grep -q RUNNING \(status); do sleep 0.1; done")
        }
        let start = MonotonicClock.now()
        try await record("\(SoundLab.loopback),SUBDEV=0") { recording in
            try await recording.waitForLoss(1, after: "start on a busy device", at: start)
            #expect(recording.state.withLock { $0.lost[0] }.contains("Another program is using"))
            #expect(DeviceList.microphones().contains { $0.name == SoundLab.loopback && $0.state == .busy })
            try await Task.sleep(for: .milliseconds(1_700))  // into the back-off
            let released = MonotonicClock.now()
            LabShell.kill(other)
            try await recording.waitForReturn(1, after: "release", at: released)
            try await sound(recording, milliseconds: 200)
            #expect(recording.state.withLock { $0.lost.count == 1 && $0.obstacles.isEmpty })
        }
        LabShell.kill(second)
    }

    @Test func `a card that is unbound is lost, and captures again when it is bound`() async throws {
        try await record(SoundLab.loopback) { recording in
            try await sound(recording, milliseconds: 500)
            for count in 1...2 {
                let out = MonotonicClock.now()
                try SoundLab.unbindLoopback()
                try await recording.waitForLoss(count, after: "unbind", at: out)
                #expect(recording.state.withLock { $0.lost[count - 1] }.contains("was unplugged"))
                // Everything is let go of.
                try LabShell.run("while [ -e /proc/asound/Loopback ]; do sleep 0.05; done")
                try await Task.sleep(for: .milliseconds(count == 1 ? 100 : 2_500))
                let back = MonotonicClock.now()
                try SoundLab.bindLoopback()
                try await recording.waitForReturn(count, after: "bind", at: back)
                recording.forget()
                try await sound(recording, milliseconds: 300)
            }
            recording.state.withLock { state in
                #expect(state.statistics.reopens == 2 && state.overruns.isEmpty)
                expectRightTimes(state.blocks)
            }
        }
    }

    @Test func `a card that is not there at the start is waited for`() async throws {
        try SoundLab.unbindLoopback()
        try LabShell.run("while [ -e /proc/asound/Loopback ]; do sleep 0.05; done")
        let start = MonotonicClock.now()
        try await record(SoundLab.loopback) { recording in
            try await recording.waitForLoss(1, after: "start without a card", at: start)
            #expect(recording.state.withLock { $0.lost[0] }.contains("There is no microphone at"))
            #expect(DeviceList.obstacle(microphone: SoundLab.loopback)?.contains("There is no microphone at") == true)
            try await Task.sleep(for: .milliseconds(1_700))  // into the back-off
            let back = MonotonicClock.now()
            try SoundLab.bindLoopback()
            try await recording.waitForReturn(1, after: "bind", at: back)
            try await sound(recording, milliseconds: 200)
            recording.state.withLock { state in
                let lost = state.restored[0]
                #expect(state.blocks[0].lostBefore == lost && abs((state.blocks[0].time - lost).seconds) < 0.5)
            }
        }
    }

    @Test func `a USB microphone that is pulled out and plugged in again goes on, in the right time`() async throws {
        let format = AudioFormat(rateHz: 16_000, channels: 1, sampleFormat: .s16)
        let noise = LabNoise(format, seconds: 5, seed: 9)
        try Data(noise.bytes).write(to: URL(filePath: "/tmp/usb.raw"))
        let plug = "exec usbsim mic --rate 16000 --channels 1 /tmp/usb.raw"
        var usb = try LabShell.start(plug)
        try await record(SoundLab.usb) { recording in
            try await sound(recording, milliseconds: 1_000)
            let before = recording.state.withLock { ($0.lost.count, $0.restored.count) }
            #expect(before.0 == before.1)  // it may have come after we began to look
            let listed = DeviceList.microphones().first { $0.name == SoundLab.usb }
            #expect(listed?.label.contains("Lab Microphone") == true)
            recording.state.withLock { state in
                #expect(state.formats.last?.sound == format)
                #expect(noise.place(of: state.samples) != nil)
            }
            let out = MonotonicClock.now()
            LabShell.kill(usb)
            try await recording.waitForLoss(before.0 + 1, after: "unplug", at: out)
            #expect(recording.state.withLock { $0.lost.last }?.contains("was unplugged") == true)
            try await Task.sleep(for: .milliseconds(1_500))
            let back = MonotonicClock.now()
            usb = try LabShell.start(plug)
            try await recording.waitForReturn(before.1 + 1, after: "replug (with 0.5 s of enumeration)", at: back)
            let frames = recording.state.withLock { $0.frames }
            try await recording.wait(for: "sound after it") { $0.frames > frames + 8_000 }
            try recording.state.withLock { state in
                expectRightTimes(state.blocks)
                let gap = try #require(state.blocks.lastIndex { $0.lostBefore > .zero })
                #expect(state.blocks[gap].lostBefore == state.restored.last && state.restored.last!.seconds > 1.4)
                #expect(noise.place(of: state.blocks[gap...].flatMap(\.samples)) != nil)
            }
        }
        LabShell.kill(usb)
    }

    @Test(.enabled(if: SoundLab.canSuspend, "needs LAB_SUSPEND=1 and a kernel that can pretend to sleep"))
    func `a suspended card is told and captures again by itself`() async throws {
        try await record(SoundLab.loopback) { recording in
            try await sound(recording, milliseconds: 500)
            let start = MonotonicClock.now()
            try LabShell.run("echo devices >/sys/power/pm_test; echo freeze >/sys/power/state")
            let woken = MonotonicClock.now()
            try await recording.waitForLoss(1, after: "suspend (in which all stands still)", at: start)
            #expect(recording.state.withLock { $0.lost[0] }.contains("was suspended"))
            try await recording.waitForReturn(1, after: "resume", at: woken)
            let frames = recording.state.withLock { $0.frames }
            try await recording.wait(for: "sound after it") { $0.frames > frames + 8_000 }
            recording.state.withLock { state in expectRightTimes(state.blocks) }
        }
    }
}
