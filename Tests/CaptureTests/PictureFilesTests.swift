@testable import Capture
import Foundation
import Media
import Synchronization
import TestSupport
import Testing

struct PictureFilesTests {
    let folder: TemporaryFolder
    private let frames = (0..<12).map { PictureFixtures.jpeg(seed: UInt64($0)) }
    private let said = Said()

    private final class Said: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    init() throws { folder = try TemporaryFolder() }

    private func images(_ path: String, fps: Double = 5, loops: Bool = false) throws -> ImageFiles {
        let said = said
        return try ImageFiles(path: path, framesPerSecond: fps, loops: loops, report: { said.add($0) })
    }

    @Test func `a JPEG is one picture at time 0`() throws {
        var source = try images(try folder.write(frames[0], as: "a.png"))  // content tells, not the name
        let all = try source.take()
        #expect(all.map(\.bytes) == [frames[0]])
        #expect(all[0].time == .zero && all[0].format == .mjpeg && all[0].bytesPerRow == 0)
        #expect(all[0].size == PixelSize(width: 320, height: 240))
        #expect(try source.next() == nil && source.losses == nil && said.all.isEmpty)
    }

    @Test(arguments: [0.01, 1, 5, 29.97, 30, 1_000]) func `times are exact and do not drift`(fps: Double) {
        let times = FrameTimes(framesPerSecond: fps)
        for index in [0, 1, 2, 3, 29, 30, 107_892, 2_592_000] {
            let exact = Decimal(index) * Decimal(1_000_000_000_000) / Decimal(Int((fps * 1_000).rounded()))
            let error = Decimal(times.time(of: index).nanoseconds) - exact
            #expect(abs(NSDecimalNumber(decimal: error).doubleValue) <= 0.5)
        }
        #expect(times.time(of: Int((fps * 1_000).rounded())) == MediaTime(milliseconds: 1_000_000))
    }

    @Test func `a stream file gives its frames at its rate and is read in pieces`() throws {
        let path = folder.path("long.mjpeg")
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        let photo = PictureFixtures.jpeg(seed: 1, dataBytes: 100_000)
        for _ in 0..<200 { handle.write(Data(photo)) }
        var source = try images(path, fps: 30)
        var count = 0
        while let frame = try source.next() {
            #expect(frame.bytes == photo)
            #expect(frame.time == FrameTimes(framesPerSecond: 30).time(of: count))
            count += 1
        }
        #expect(count == 200)
    }

    @Test func `a multipart stream is told by its first line`() throws {
        var source = try images(try folder.write(PictureFixtures.multipart(frames), as: "stream.bin"))
        #expect(try source.take().map(\.bytes) == frames)
    }

    @Test func `a folder goes in natural order`() throws {
        let names = [
            "0.jpg", "1.jpg", "02.jpg", "2a.jpg", "10.jpg", "a1.jpg", "a9.jpg", "a09b.jpg", "a10.jpg", "b.JPEG"
        ]
        let long = "c" + String(repeating: "9", count: 60)
        for (name, frame) in zip(names + [long + ".jpg"], frames) { _ = try folder.write(frame, as: name) }
        var source = try images(folder.url.path, fps: 2)
        let all = try source.take()
        #expect(all.map(\.bytes) == Array(frames.prefix(11)))
        #expect(all.map(\.time.milliseconds) == (0..<11).map { $0 * 500 })
        #expect(names.shuffled().sorted(by: PictureFolder.precedes) == names)
    }

    @Test func `of a folder, what is no picture is left out and what claims to be one is said`() throws {
        _ = try folder.write(frames[0], as: "1.jpg")
        _ = try folder.write(frames[1], as: "2")  // a JPEG without a name's help
        _ = try folder.write([], as: "3.jpg")
        _ = try folder.write(Array("<html>".utf8), as: "4.JPG")
        _ = try folder.write(Array("notes".utf8), as: "5.txt")
        _ = try folder.write([0] + frames[2], as: "6.mp4")  // holds a picture, but is none
        _ = try folder.write(frames[3], as: ".7.jpg")
        _ = try folder.write(frames[4] + frames[5] + frames[6], as: "8.jpg")
        try FileManager.default.createDirectory(atPath: folder.path("9.jpg"), withIntermediateDirectories: false)
        mkfifo(folder.path("10.jpg"), 0o600)
        try FileManager.default.createSymbolicLink(atPath: folder.path("11.jpg"), withDestinationPath: "missing")
        var source = try images(folder.url.path, loops: true)
        let expected = [frames[0], frames[1], frames[4]]
        #expect(try source.take(6).map(\.bytes) == expected + expected)
        #expect(said.all.count == 4)  // each once, though the folder was gone through twice
        for name in ["3.jpg", "4.JPG", "8.jpg", "11.jpg"] { #expect(said.all.contains { $0.contains(name) }) }
        let losses = source.losses ?? ""
        #expect(losses.contains("6 picture(s)") && losses.contains("5 file(s) that hold no picture"))
    }

    @Test func `damage is said once and counted`() throws {
        let stream = frames[0] + frames[1].prefix(600) + frames[2] + frames[3].prefix(400)
        let path = try folder.write(stream, as: "a.mjpeg")
        var source = try images(path)
        #expect(try source.take().map(\.bytes) == [frames[0], frames[2]])
        #expect(said.all.count == 1)
        #expect(source.losses == "'\(path)' gave 2 picture(s); left out: 2 damaged picture(s)")
    }

    @Test func `in a loop stream time goes on`() throws {
        let path = try folder.write(frames[0] + frames[1] + frames[2], as: "a.mjpeg")
        var source = try images(path, fps: 4, loops: true)
        let all = try source.take(10)
        #expect(all.map(\.time.milliseconds) == (0..<10).map { $0 * 250 })
        #expect(all.map(\.bytes) == (0..<10).map { frames[$0 % 3] })
    }

    @Test func `a loop whose pictures are gone ends with an error`() throws {
        let path = try folder.write(frames[0], as: "a.jpg")
        var source = try images(path, loops: true)
        _ = try source.take(3)
        _ = try folder.write([1, 2, 3], as: "a.jpg")
        #expect(throws: CaptureError.badPictures(path: path, reason: "no whole JPEG was found in it")) {
            _ = try source.take(3)
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: CaptureError.self) { _ = try source.take(3) }
    }

    @Test func `what holds no picture is refused with a reason`() throws {
        func error(_ path: String) -> CaptureError? {
            do throws(CaptureError) {
                var source = try ImageFiles(path: path)
                _ = try source.next()
                return nil
            } catch { return error }
        }
        let none = "no whole JPEG was found in it"
        #expect(error(folder.path("missing.jpg")) == .fileMissing(path: folder.path("missing.jpg")))
        #expect(error(folder.url.path) == .badPictures(path: folder.url.path, reason: "the folder has no files"))
        let garbage = try folder.write(Array("no picture".utf8), as: "garbage.jpg")
        #expect(error(garbage) == .badPictures(path: garbage, reason: none))
        #expect(error(folder.url.path) == .badPictures(path: folder.url.path, reason: none))
        let empty = try folder.write([], as: "empty.jpg")
        #expect(error(empty) == .badPictures(path: empty, reason: "it is empty"))
        #expect(error("/dev/zero") == .badPictures(path: "/dev/zero", reason: "it is not a regular file"))
    }

    @Test func `files are closed`() throws {
        for (index, frame) in frames.enumerated() { _ = try folder.write(frame, as: "\(index).jpg") }
        var source = try images(folder.url.path, loops: true)
        _ = try source.take(600)
        for _ in 0..<200 { _ = try images(folder.path("0.jpg")).path }
        #expect(Fixtures.openDescriptors(within: folder.url.path) <= 1)
    }

    @Test(.enabled(if: PictureFixtures.hasShared, "needs ../shared/data/images"))
    func `the shared sequences are whole`()
        throws
    {
        let data = try #require(RealData.shared("images"))
        for (name, count) in [("seq_cockatoo", 28), ("seq_cuts", 18), ("cockatoo.mjpeg", 28), ("cuts.mjpeg", 18)] {
            var source = try images("\(data)/\(name)")
            #expect(try source.take().count == count)
            #expect(source.losses == nil)
        }
        var awkward = try images("\(data)/awkward")
        #expect(try awkward.take().count > 30)
        #expect(said.all.contains { $0.contains("text.jpg") })
    }

    @Test func `whole files are read up to a bound`() throws {
        let path = try folder.write(frames[0], as: "a.jpg")
        #expect(try PhotoFile.read(path) == frames[0])
        let large = try folder.write([UInt8](repeating: 0, count: 3 << 20), as: "large")
        #expect(throws: CaptureError.badPictures(path: large, reason: "it has more than 2 MiB")) {
            _ = try PhotoFile.read(large, maximumBytes: 2 << 20)
        }
        #expect(throws: CaptureError.badPictures(path: folder.url.path, reason: "it is a folder")) {
            _ = try PhotoFile.read(folder.url.path)
        }
    }
}

struct PictureTestPatternTests {
    @Test func `the pattern moves, and is the same for every run`() throws {
        let size = PixelSize(width: 64, height: 48)
        var pattern = try TestPattern(size: size, framesPerSecond: 10, duration: MediaTime(milliseconds: 20_000))
        var again = pattern
        let all = try pattern.take()
        #expect(all.count == 200)
        #expect(try again.take().map(\.bytes) == all.map(\.bytes))
        for (index, frame) in all.enumerated() {
            #expect(frame.time == MediaTime(milliseconds: index * 100))
            #expect(frame.format == .rgb24 && frame.bytesPerRow == 192 && frame.bytes.count == 64 * 48 * 3)
            #expect(index == 0 || frame.bytes != all[index - 1].bytes)
        }
    }

    @Test(arguments: [(16, 16), (4_096, 16), (17, 33), (640, 480)])
    func `any size within the limits will do`(width: Int, height: Int) throws {
        var pattern = try TestPattern(size: PixelSize(width: width, height: height))
        #expect(try pattern.take(50).allSatisfy { $0.bytes.count == width * height * 3 })
    }

    @Test(arguments: [(0, 0), (15, 480), (640, 4_097), (-1, 100), (1 << 40, 1 << 40)])
    func `absurd sizes are refused`(width: Int, height: Int) {
        let size = PixelSize(width: width, height: height)
        #expect(throws: CaptureError.sizeAbsurd(size)) { _ = try TestPattern(size: size) }
    }
}
