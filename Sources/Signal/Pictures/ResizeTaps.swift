/// Which inputs make each output of one pass of a resize, and with what weight: integers with `fractionBits`.
struct ResizeTaps {
    let count: Int
    private let most: Int  // weights kept for each output
    private var first: [Int]
    private var lengths: [Int]
    private var weights: [Int32]  // [count, most]
    private let fractionBits: Int32

    /// From `source` to `target` pixels, both > 0.
    init(from source: Int, to target: Int, _ filter: ResizeFilter, _ arithmetic: ResizeArithmetic) {
        let ratio = Double(source) / Double(target)
        let stretch = max(ratio, 1)
        let narrowing = 1 / stretch
        let reach = filter.support * stretch
        let most = Int(reach.rounded(.up)) * 2 + 1
        count = target
        self.most = most
        first = []
        lengths = []
        var exact = [Double](repeating: 0, count: target * most)
        for output in 0..<target {
            let centre = (Double(output) + 0.5) * ratio
            let low = max(0, Int(centre - reach + 0.5))
            let high = min(source, Int(centre + reach + 0.5))
            var sum = 0.0
            for tap in low..<high {
                let weight = filter((Double(tap) - centre + 0.5) * narrowing)
                exact[output * most + tap - low] = weight
                sum += weight
            }
            for tap in 0..<high - low where sum != 0 { exact[output * most + tap] /= sum }
            first.append(low)
            lengths.append(high - low)
        }
        // The most bits with which the largest weight stays below 2^15, as in the reference, which multiplies 16 bits.
        let largest = exact.max() ?? 1
        let bits =
            arithmetic == .pillow ? 22 : (0..<22).first { Int(0.5 + largest * Double(1 << ($0 + 1))) >= 1 << 15 } ?? 22
        weights = exact.map { Int32(($0 * Double(1 << bits)).rounded(.toNearestOrAwayFromZero)) }
        fractionBits = Int32(bits)
    }

    /// One row of one channel: `count` outputs.
    func apply(_ row: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>) {
        weights.withUnsafeBufferPointer { weights in
            for output in 0..<count {
                let source = row + first[output]
                let taps = weights.baseAddress! + output * most
                var sum = half
                for tap in 0..<lengths[output] { sum &+= taps[tap] &* Int32(source[tap]) }
                out[output] = byte(sum)
            }
        }
    }

    /// One row of R, G, B: 3 × `count` outputs.
    func applyToRGB(_ row: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>) {
        weights.withUnsafeBufferPointer { weights in
            for output in 0..<count {
                var source = row + 3 * first[output]
                let taps = weights.baseAddress! + output * most
                var (red, green, blue) = (half, half, half)
                for tap in 0..<lengths[output] {
                    let weight = taps[tap]
                    red &+= weight &* Int32(source[0])
                    green &+= weight &* Int32(source[1])
                    blue &+= weight &* Int32(source[2])
                    source += 3
                }
                (out[3 * output], out[3 * output + 1], out[3 * output + 2]) = (byte(red), byte(green), byte(blue))
            }
        }
    }

    /// Row `output` of the vertical pass over rows of `rowBytes` bytes.
    func sumRows(
        _ output: Int, _ source: UnsafePointer<UInt8>, rowBytes: Int, _ out: UnsafeMutablePointer<UInt8>
    ) {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowBytes) { sums in
            let sums = sums.baseAddress!
            sums.initialize(repeating: half, count: rowBytes)
            for tap in 0..<lengths[output] {
                let weight = weights[output * most + tap]
                let row = source + (first[output] + tap) * rowBytes
                for x in 0..<rowBytes { sums[x] &+= weight &* Int32(row[x]) }
            }
            for x in 0..<rowBytes { out[x] = byte(sums[x]) }
        }
    }

    private var half: Int32 { 1 << (fractionBits - 1) }

    private func byte(_ sum: Int32) -> UInt8 { UInt8(clamping: sum >> fractionBits) }
}
