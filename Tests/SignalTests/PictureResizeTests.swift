import Foundation
import Media
import Signal
import Testing
import TestSupport

struct PictureResizeTests {
    @Test("Resized bytes are those of the reference", arguments: try Case.all())
    func equalsReference(reference: Case) {
        let picture = noise(
            reference.from.width, reference.from.height, channels: reference.channels, seed: reference.seed)
        for arithmetic in ResizeArithmetic.allCases {
            let resized = picture.resized(to: reference.to, reference.filter, as: arithmetic)
            #expect(resized.size == reference.to)
            #expect(crc32(resized.pixels) == (reference.checksums[arithmetic] ?? 0), "\(arithmetic)")
        }
    }

    @Test("A plain picture stays plain", arguments: ResizeFilter.allCases, [1, 3])
    func keepsPlainColours(filter: ResizeFilter, channels: Int) {
        for value: UInt8 in [0, 1, 127, 255] {
            let plain = Picture(
                width: 37, height: 23, channels: channels, pixels: Array(repeating: value, count: 37 * 23 * channels))
            for (width, height) in [(1, 1), (5, 90), (200, 3), (64, 64), (37, 1)] {
                let resized = plain.resized(to: PixelSize(width: width, height: height), filter)
                #expect(resized.pixels.allSatisfy { $0 == value })
            }
        }
    }

    @Test("The same size is the same picture", arguments: ResizeFilter.allCases)
    func keepsSize(filter: ResizeFilter) {
        let picture = noise(9, 7, channels: 3, seed: 1)
        #expect(picture.resized(to: picture.size, filter) == picture)
    }

    @Test("The middle is cut out; a side that is too short is left whole")
    func crops() {
        let picture = Picture(width: 5, height: 3, channels: 1, pixels: Array(0..<15))
        #expect(picture.centreCropped(to: PixelSize(width: 3, height: 1)).pixels == [6, 7, 8])
        #expect(picture.centreCropped(to: PixelSize(width: 2, height: 9)).pixels == [1, 2, 6, 7, 11, 12])
        let colours = noise(4, 2, channels: 3, seed: 2)
        #expect(colours.centreCropped(to: PixelSize(width: 2, height: 2)).pixels.prefix(6) == colours.pixels[3..<9])
    }

    /// A line of `resized.tsv`.
    struct Case: CustomTestStringConvertible {
        let from: PixelSize
        let channels: Int
        let to: PixelSize
        let filter: ResizeFilter
        let checksums: [ResizeArithmetic: UInt32]
        let seed: UInt64  // the index of the size, from 1

        var testDescription: String { "\(from) x \(channels) to \(to), \(filter)" }

        static func all() throws -> [Case] {
            let lines = try String(contentsOf: golden("resized.tsv"), encoding: .utf8).split(separator: "\n")
                .dropFirst()
            return lines.enumerated().map { index, line in
                let fields = line.split(separator: "\t")
                let numbers = fields.map { Int($0) ?? 0 }
                return Case(
                    from: PixelSize(width: numbers[0], height: numbers[1]), channels: numbers[2],
                    to: PixelSize(width: numbers[3], height: numbers[4]),
                    filter: fields[5] == "bicubic" ? .bicubic : .bilinear,
                    checksums: [.torch: UInt32(fields[6]) ?? 0, .pillow: UInt32(fields[7]) ?? 0],
                    seed: UInt64(index / 4 + 1))
            }
        }
    }
}

/// CRC-32 as of zlib.
private func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { crc, byte in
        (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
}
