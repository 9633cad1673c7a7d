@testable import Capture
import TestSupport
import Testing

struct PictureMultipartTests {
    private let frames = (0..<5).map { PictureFixtures.jpeg(seed: UInt64($0), dataBytes: 600 + Int($0) * 77) }

    private func split(_ stream: [UInt8]) -> ([[UInt8]], SplitStatistics) {
        let whole = PictureFixtures.split(stream)
        for chunk in PictureFixtures.chunkings {
            #expect(PictureFixtures.split(stream, chunk: chunk) == whole, "in pieces of \(chunk)")
        }
        return (whole.pictures.map(\.bytes), whole.statistics)
    }

    @Test(arguments: ["\r\n", "\n"], ["frame", "f", "--==Boundary_7==", "two words"])
    func `parts come out as they went in`(newline: String, boundary: String) {
        let good = (frames, SplitStatistics(pictures: 5))
        #expect(split(PictureFixtures.multipart(frames, boundary: boundary, newline: newline)) == good)
        #expect(
            split(PictureFixtures.multipart(frames, boundary: boundary, length: { _ in nil }, newline: newline)) == good
        )
    }

    @Test func `a stream may begin with blank lines and end without its closing boundary`() {
        let open = PictureFixtures.multipart(frames, closes: false)
        #expect(split(Array("\r\n\r\n".utf8) + open).0 == frames)
        #expect(split(open + Array("--frame\r\n".utf8)) == (frames, SplitStatistics(pictures: 5)))
        #expect(split(open + Array("--frame".utf8)).0 == frames)
    }

    @Test(arguments: ["0", "1", "-1", "99999999999999999999999", "9223372036854775807", "1e9", "", "\u{0}\u{0}"])
    func `a length is not believed`(length: String) {
        #expect(
            split(PictureFixtures.multipart(frames, length: { _ in length })) == (frames, SplitStatistics(pictures: 5)))
    }

    @Test func `a part that is cut, or no picture, is dropped and counted`() {
        let cut = Array(frames[1].prefix(400))
        let parts = [frames[0], cut, Array("<html>502 Bad Gateway</html>".utf8), frames[2], [], frames[3]]
        #expect(
            split(PictureFixtures.multipart(parts))
                == ([frames[0], frames[2], frames[3]], SplitStatistics(pictures: 3, damaged: 2)))
    }

    @Test func `the last part may be cut anywhere`() {
        let stream = PictureFixtures.multipart(frames)
        for length in stride(from: 1, to: stream.count, by: 23) {
            let (pictures, statistics) = PictureFixtures.split(Array(stream.prefix(length)))
            #expect(pictures.map(\.bytes) == Array(frames.prefix(pictures.count)))
            #expect(statistics.damaged <= 1)
        }
    }

    @Test func `a boundary's name within a picture is no boundary`() {
        var picture = frames[0]
        picture.replaceSubrange(600..<612, with: Array("\r\n--framed-in".utf8.prefix(12)))
        #expect(split(PictureFixtures.multipart([picture, frames[1]])).0 == [picture, frames[1]])
    }

    @Test func `a part without headers, or with endless ones, still gives its picture`() {
        let bare = frames.flatMap { Array("--frame\r\n".utf8) + $0 + Array("\r\n".utf8) }
        #expect(split(bare).0 == frames)
        let long = Array("--frame\r\n".utf8) + [UInt8](repeating: 65, count: 40_000) + frames[0]
        #expect(split(long + Array("\r\n".utf8) + PictureFixtures.multipart([frames[1]])).0 == [frames[0], frames[1]])
    }

    @Test func `what follows the end is read only from the next boundary on`() {
        let stream = PictureFixtures.multipart([frames[0]]) + frames[1] + PictureFixtures.multipart([frames[2]])
        #expect(split(stream).0 == [frames[0], frames[2]])
    }

    @Test func `dashes that begin no boundary are no multipart`() {
        for opening in ["--", "--\r\n", "-", "--\u{7}\r\n", "--" + String(repeating: "x", count: 300) + "\r\n"] {
            #expect(split(Array(opening.utf8) + frames[0] + frames[1]).0 == [frames[0], frames[1]])
        }
    }

    @Test func `after a reset another stream may follow`() {
        var splitter = MultipartSplitter()
        _ = splitter.step(PictureFixtures.multipart(frames))
        _ = splitter.finish()
        splitter.reset()
        #expect(splitter.step(frames[0] + frames[1]).map(\.bytes) == [frames[0], frames[1]])
        #expect(splitter.statistics == SplitStatistics(pictures: 2))
    }
}
