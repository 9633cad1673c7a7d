import Capture
import Foundation
import Media
import TestSupport
import Testing

struct AudioFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [1, 2, 3, 160, 997, 100_000])
    func `pieces equal the whole and samples are exact`(step: Int) throws {
        var random = SplitMix64(seed: 3)
        let samples = (0..<2_000).map { _ in Int16.random(in: .min ... .max, using: &random) }
        let path = try folder.write(Fixtures.wav(samples, rateHz: 22_050, channels: 2), as: "a.wav")
        var file = try AudioFile(path: path)
        #expect(file.rateHz == 22_050 && file.channels == 2 && file.claimedFrames == 1_000)
        #expect(try file.readAll(step: step) == samples.map { Float($0) / 32_768 })
        #expect(file.position == 1_000)
        try file.rewind()
        #expect(try file.readAll(step: step).count == 2_000)
    }

    @Test func `a missing file is told from an unreadable one`() throws {
        let missing = folder.path("none.wav")
        #expect(throws: CaptureError.fileMissing(path: missing)) { _ = try AudioFile(path: missing).rateHz }
        let text = try folder.write(Array("This is not audio.".utf8), as: "text.wav")
        #expect(throws: CaptureError.badAudio(path: text, reason: "the format is not recognised")) {
            _ = try AudioFile(path: text).rateHz
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything"))
    func `a file that may not be read is named as such`() throws {
        let path = try folder.write([1], as: "locked.wav")
        chmod(path, 0)
        #expect(throws: CaptureError.notPermitted(name: path)) { _ = try AudioFile(path: path).rateHz }
    }

    @Test func `folders, pipes, devices and empty files are refused at once`() throws {
        let fifo = folder.path("fifo")
        mkfifo(fifo, 0o600)
        let empty = try folder.write([], as: "empty.wav")
        let unfit = "it is not a regular file"
        let reasons = [
            (folder.url.path, "it is a folder"), (fifo, unfit), ("/dev/null", unfit), ("/dev/zero", unfit),
            (empty, "it is empty")
        ]
        for (path, reason) in reasons {
            #expect(throws: CaptureError.badAudio(path: path, reason: reason)) { _ = try AudioFile(path: path).rateHz }
        }
    }

    @Test(.enabled(if: Fixtures.data != nil && Fixtures.has("python3"), "waits for the shared test data and python3"))
    func `odd and broken files behave as their manifest says`() throws {
        let data = try #require(Fixtures.data)
        let made = try Fixtures.run("python3", ["\(data)/make_edge_cases.py", folder.url.path])
        try #require(made.status == 0)
        let manifest = try String(contentsOfFile: folder.path("manifest.tsv"), encoding: .utf8)
        let rows = manifest.split(separator: "\n").dropFirst()
        #expect(rows.count > 90)
        for row in rows {
            let fields = row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            checkEdgeCase(
                name: fields[0], expectation: fields[2], frames: Int(fields[3]), rateHz: Int(fields[4]),
                channels: Int(fields[5]))
        }
        // Each file, refused or read, was closed.
        #expect(Fixtures.openDescriptors(within: folder.url.path) == 0)
    }

    /// A WAV of 1 s whose `data` chunk claims `bytes`, cut after `kept` of its frames.
    private func early(claiming bytes: UInt32, kept: Int) throws -> EarlyEnd? {
        var wav = Fixtures.wav([Int16](repeating: 9, count: 16_000), rateHz: 16_000, channels: 1)
        withUnsafeBytes(of: bytes.littleEndian) { wav.replaceSubrange(40..<44, with: $0) }
        let path = try folder.write(Array(wav.prefix(44 + 2 * kept)), as: "\(bytes)-\(kept).wav")
        var file = try AudioFile(path: path)
        #expect(file.earlyEnd == nil, "known at the end, not before")
        _ = try file.readAll(step: 4_000)
        return file.earlyEnd
    }

    @Test func `a recording that was cut short says so at its end`() throws {
        let cut = try #require(try early(claiming: 32_000, kept: 4_000))
        #expect(cut.length == MediaTime(milliseconds: 250))
        #expect(cut.promised == MediaTime(milliseconds: 1_000))
        #expect(cut.description.contains("ends early: 0.3 s of 1.0 s"))
        #expect(try early(claiming: 320_000, kept: 16_000)?.promised == MediaTime(milliseconds: 10_000))
    }

    @Test(arguments: [0, 2_000, 32_000, 0x7FFF_F000, 0x8000_0000, 0xFFFF_FFFF] as [UInt32])
    func `a length that is kept, too small or left open is no early end`(bytes: UInt32) throws {
        #expect(try early(claiming: bytes, kept: 16_000) == nil)
    }

    @Test(.enabled(if: Fixtures.has("ffmpeg"), "waits for ffmpeg"), arguments: ["flac", "mp3"])
    func `a compressed file that was cut says so, a whole one does not`(kind: String) throws {
        let path = folder.path("tone.\(kind)")
        let made = try Fixtures.run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "sine=440:r=44100:d=10", path])
        try #require(made.status == 0)
        let whole = try Data(contentsOf: URL(filePath: path))
        let cut = try folder.write(Array(whole.prefix(whole.count / 2)), as: "cut.\(kind)")
        for (path, isCut) in [(path, false), (cut, true)] {
            var file = try AudioFile(path: path)
            _ = try file.readAll()
            #expect((file.earlyEnd != nil) == isCut, "\(path)")
        }
    }

    private func checkEdgeCase(name: String, expectation: String, frames: Int?, rateHz: Int?, channels: Int?) {
        do {
            var file = try AudioFile(path: folder.path(name))
            let samples = try file.readAll()
            #expect(expectation != "error", "\(name) was read")
            #expect(samples.allSatisfy { abs($0) <= PCMConversion.loudest }, "\(name) is bounded")
            guard expectation == "ok" else { return }
            #expect(file.earlyEnd == nil, "\(name) is whole")
            #expect(samples.count / file.channels == frames, "frames of \(name)")
            #expect(file.rateHz == rateHz, "rate of \(name)")
            #expect(file.channels == channels, "channels of \(name)")
        } catch {
            #expect(expectation != "ok", "\(name): \(error)")
            #expect(!error.description.isEmpty)
        }
    }

    @Test(.enabled(if: Fixtures.has("ffmpeg"), "waits for ffmpeg"), arguments: ["flac", "ogg", "mp3", "aiff"])
    func `compressed files give the tone that went in`(kind: String) throws {
        let path = folder.path("tone.\(kind)")
        let made = try Fixtures.run(
            "ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", "sine=440:r=44100:d=1", "-af", "volume=6", "-ac", "2", path])
        try #require(made.status == 0)
        var file = try AudioFile(path: path)
        let samples = try file.readAll()
        #expect(file.rateHz == 44_100 && file.channels == 2)
        #expect(abs(samples.count / 2 - 44_100) < 2_400)  // an MP3 keeps its encoder's padding
        let middle = samples[20_000..<60_000]
        let power = middle.reduce(0) { $0 + $1 * $1 } / Float(middle.count)
        let crossings = stride(from: 20_000, to: 59_998, by: 2).count { samples[$0] < 0 && samples[$0 + 2] >= 0 }
        #expect(power > 0.05 && power < 1)
        #expect(abs(crossings - 199) <= 2)  // 440 Hz × 20 000 / 44 100
    }
}
