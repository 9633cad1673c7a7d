@testable import Capture
import Foundation
import Media
import TestSupport

/// JPEGs that are whole by their markers; nobody decodes them.
enum PictureFixtures {
    static let chunkings = [1, 2, 3, 160, 997, .max]

    /// - Parameters:
    ///   - scans: 1 for a baseline picture, more as in a progressive one.
    ///   - thumbnail: lies whole inside an APP1 segment.
    static func jpeg(
        seed: UInt64, width: Int = 320, height: Int = 240, dataBytes: Int = 900, scans: Int = 1, thumbnail: [UInt8] = []
    ) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        var bytes: [UInt8] = [0xFF, 0xD8]
        bytes += segment(0xE0, Array("JFIF".utf8) + [0, 1, 1, 0, 0, 1, 0, 1, 0, 0])
        if !thumbnail.isEmpty { bytes += segment(0xE1, Array("Exif".utf8) + thumbnail + [0, 0]) }
        bytes += segment(0xDB, (0..<65).map { _ in UInt8.random(in: 0...254, using: &random) })
        let size = [UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255)]
        bytes += segment(scans == 1 ? 0xC0 : 0xC2, [8] + size + [1, 1, 0x11, 0])
        for _ in 0..<scans {
            bytes += segment(0xC4, [UInt8](repeating: 1, count: 28))
            bytes += segment(0xDA, [1, 1, 0, 0, 63, 0])
            for index in 0..<dataBytes / scans {
                let byte = UInt8.random(in: 0...255, using: &random)
                bytes += byte == 0xFF ? [0xFF, 0] : [byte]
                if index % 100 == 99 { bytes += [0xFF, 0xD0 + UInt8(index / 100 % 8)] }
            }
        }
        return bytes + [0xFF, 0xD9]
    }

    static func segment(_ code: UInt8, _ body: [UInt8]) -> [UInt8] {
        [0xFF, code, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 255)] + body
    }

    static func multipart(
        _ parts: [[UInt8]], boundary: String = "frame", length: (Int) -> String? = { "\($0)" },
        newline: String = "\r\n",
        closes: Bool = true
    ) -> [UInt8] {
        let body = parts.flatMap { part in
            let claim = length(part.count).map { "Content-Length: \($0)\(newline)" } ?? ""
            return Array("--\(boundary)\(newline)Content-Type: image/jpeg\(newline)\(claim)\(newline)".utf8) + part
                + Array(newline.utf8)
        }
        return body + Array((closes ? "--\(boundary)--\(newline)" : "").utf8)
    }

    /// Everything a stream gives, fed in pieces of `chunk` bytes.
    static func split(
        _ bytes: [UInt8], chunk: Int = .max, maximumBytes: Int = MJPEGSplitter.maximumPictureBytes
    ) -> (pictures: [SplitPicture], statistics: SplitStatistics) {
        var splitter = MultipartSplitter(maximumBytes: maximumBytes)
        var pictures: [SplitPicture] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            pictures += splitter.step(rest.prefix(chunk))
            rest = rest.dropFirst(chunk)
        }
        pictures += splitter.finish()
        return (pictures, splitter.statistics)
    }

    static func shared(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: (RealData.shared("images") ?? "") + "/" + name)))
    }

    static let hasShared = RealData.shared("images") != nil
}

extension PictureSource where Self: ~Copyable {
    /// Everything that comes, up to `limit`.
    mutating func take(_ limit: Int = .max) throws -> [VideoFrame] {
        var frames: [VideoFrame] = []
        while frames.count < limit, let frame = try next() { frames.append(frame) }
        return frames
    }
}
