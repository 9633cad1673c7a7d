import Capture
import Foundation
import Media
import Synchronization
import TestSupport

/// Sound cards of the device lab: `Tests/DeviceLab/microphone-faults.sh` loads the drivers and runs
/// `MicrophoneLabTests`, which play, plug in, break and pull out what they need.
enum SoundLab {
    static let isThere = ProcessInfo.processInfo.environment["NARRATOR_LAB_SOUND"] != nil
    /// What is played into the other end of snd-aloop is captured here.
    static let loopback = "hw:CARD=Loopback,DEV=1"
    /// The emulated USB microphone, by the id that the kernel gives it.
    static let usb = "hw:CARD=Microphone,DEV=0"
    /// The kernel can pretend to sleep, and this was asked for: not every virtual machine wakes up whole.
    static let canSuspend =
        isThere && ProcessInfo.processInfo.environment["LAB_SUSPEND"] != nil
        && FileManager.default.isWritableFile(atPath: "/sys/power/pm_test")

    static func unbindLoopback() throws {
        try LabShell.run("echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/unbind")
    }

    static func bindLoopback() throws { try LabShell.run("echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/bind") }
}

/// Noise of which no stretch of 100 ms occurs twice, exact in every format of at least 16 bits.
struct LabNoise {
    let format: AudioFormat
    let samples: [Float]

    init(_ format: AudioFormat, seconds: Int, seed: UInt64) {
        self.format = format
        var random = SplitMix64(seed: seed)
        // 24 bits are what a Float holds; of 16 bits there are fewer.
        let bits = format.sampleFormat == .s16 ? 16 : 24
        let scale = Float(1 << (bits - 1))
        samples = (0..<format.rateHz * format.channels * seconds).map { _ in
            Float(Int32(truncatingIfNeeded: random.next() >> 32) >> (32 - Int32(bits))) / scale
        }
    }

    /// As it is played.
    var bytes: [UInt8] {
        samples.flatMap { sample -> [UInt8] in
            func little<Integer: FixedWidthInteger>(_ integer: Integer) -> [UInt8] {
                withUnsafeBytes(of: integer.littleEndian) { Array($0) }
            }
            switch format.sampleFormat {
            case .s16: return little(Int16(sample * 0x1p15))
            case .s24: return little(Int32(sample * 0x1p23))
            case .s24Packed: return Array(little(Int32(sample * 0x1p23)).prefix(3))
            case .s32: return little(Int32(sample * 0x1p31))
            case .float32: return little(sample.bitPattern)
            }
        }
    }

    /// Where in the noise, which is played over and over, `heard` begins, in frames; nil if it is not in it exactly.
    func place(of heard: some RandomAccessCollection<Float>) -> Int? {
        let probe = format.rateHz / 10 * format.channels
        func matches(at frame: Int, count: Int) -> Bool {
            var index = frame * format.channels
            for sample in heard.prefix(count) {
                if samples[index] != sample { return false }
                index = index + 1 == samples.count ? 0 : index + 1
            }
            return true
        }
        let starts = 0..<samples.count / format.channels
        guard let start = starts.first(where: { matches(at: $0, count: probe) }) else { return nil }
        return matches(at: start, count: heard.count) ? start : nil
    }
}

/// Plays noise over and over into snd-aloop, until it goes.
final class LabPlayer {
    private let process: Process

    init(_ noise: LabNoise) throws {
        let name =
            switch noise.format.sampleFormat {
            case .s16: "S16_LE"
            case .s24: "S24_LE"
            case .s24Packed: "S24_3LE"
            case .s32: "S32_LE"
            case .float32: "FLOAT_LE"
            }
        let file = "/tmp/noise.raw"
        try Data(noise.bytes).write(to: URL(filePath: file))
        // `exec`, so that the process that is killed is the one that plays.
        process = try LabShell.start(
            "exec aplay -q -D hw:Loopback,0,0 -t raw -f \(name) -r \(noise.format.rateHz) "
                + "-c \(noise.format.channels) --buffer-time=2000000 < <(while cat \(file); do :; done)")
        try LabShell.run(
            "until grep -q RUNNING /proc/asound/Loopback/pcm0p/sub0/status 2>/dev/null; do sleep 0.1; done")
    }

    deinit { LabShell.kill(process) }
}
