import Kernels
import TestSupport
import Testing

struct DecoderRowsTests {
    static let widths = [1, 3, 8, 16, 17, 33, 96, 256, 300, 2_048, 8_200]

    private static func row(_ count: Int, seed: Int, scale: Float = 2) -> [Float] {
        var random = SplitMix64(seed: UInt64(seed))
        return random.floats(count, scale: scale)
    }

    /// The values after `change`, which gets them as a span.
    private static func changed(_ values: [Float], _ change: (inout MutableSpan<Float>) -> Void) -> [Float] {
        var result = values
        var span = result.mutableSpan
        change(&span)
        return result
    }

    private static func halves(_ x: [Float], _ isa: InstructionSet) -> [UInt16] {
        var halves = [UInt16](repeating: 0, count: x.count)
        var span = halves.mutableSpan
        convertToFloat16(x.span, into: &span, on: isa)
        return halves
    }

    @Test(arguments: vectorSets, widths)
    func normsAgree(isa: InstructionSet, width: Int) {
        let (x, weight) = (Tensor(Self.row(6 * width, seed: 1), shape: 3, 2 * width), Self.row(width, seed: 2))
        for (weight, adding) in [
            (nil, false), (Tensor(weight, shape: width), false), (Tensor(weight, shape: width), true)
        ] {
            func norm(_ isa: InstructionSet) -> [Float] {
                let y = Tensor<Float>(3, 2 * width, filledWith: 0.5)
                rmsNorm(x, rows: 1..<3, width: width, weight: weight, epsilon: 1e-6, into: y, adding: adding, on: isa)
                return y.array
            }
            let (result, twin) = (norm(isa), norm(.scalar))
            #expect(largestDifference(result, twin) < 2e-5)
            #expect(result[..<(2 * width)].allSatisfy { $0 == 0.5 })
        }
    }

    @Test func normIsTheFormula() {
        let x = Tensor(Self.row(96, seed: 3), shape: 1, 96)
        let y = Tensor<Float>(1, 96, filledWith: 0)
        rmsNorm(x, rows: 0..<1, width: 32, weight: nil, epsilon: 1e-6, into: y, on: .scalar)
        for start in [0, 32, 64] {
            let mean = (start..<start + 32).map { Double(x[0, $0]) * Double(x[0, $0]) }.reduce(0, +) / 32
            for i in start..<start + 32 {
                #expect(abs(Double(y[0, i]) - Double(x[0, i]) / (mean + 1e-6).squareRoot()) < 1e-6)
            }
        }
    }

    @Test(
        "GELU and the soft cap follow the scalar twin, at every magnitude", arguments: vectorSets, [1.0, 30, 1e-3, 1e6])
    func smoothFunctionsAgree(isa: InstructionSet, scale: Double) {
        for width in Self.widths {
            let x = Self.row(width, seed: width, scale: Float(scale)) + [0, -0.0, .infinity, -.infinity, 0.1, -0.1]
            let factors = Self.row(x.count, seed: 5)
            func gated(_ isa: InstructionSet) -> [Float] {
                Self.changed(x) { multiplyGELU(&$0, by: factors.span, on: isa) }
            }
            func capped(_ isa: InstructionSet) -> [Float] { Self.changed(x) { softCap(&$0, at: 30, on: isa) } }
            for (result, twin) in [(gated(isa), gated(.scalar)), (capped(isa), capped(.scalar))] {
                for i in 0..<x.count where !twin[i].isNaN || !result[i].isNaN {
                    #expect(
                        result[i] == twin[i] || abs(result[i] - twin[i]) <= 1e-6 * max(min(abs(x[i]), 30), abs(twin[i]))
                    )
                }
            }
        }
        let poisoned = Self.changed([.nan, 1]) { softCap(&$0, at: 30, on: isa) }
        #expect(poisoned[0].isNaN && !poisoned[1].isNaN)
    }

    @Test(arguments: vectorSets, [1, 4, 16, 17, 128])
    func turnsAgreeAndKeepLengths(isa: InstructionSet, half: Int) {
        let x = Self.row(3 * 2 * half, seed: half)
        let cosines = (0..<half).map { Float($0 % 5) / 5 }
        let sines = cosines.map { (1 - $0 * $0).squareRoot() }
        func turned(_ isa: InstructionSet) -> [Float] {
            Self.changed(x) { rotateHeads(&$0, cosines: cosines.span, sines: sines.span, on: isa) }
        }
        let result = turned(isa)
        #expect(largestDifference(result, turned(.scalar)) < 1e-6)
        for d in 0..<half {
            let (before, after) = (
                x[d] * x[d] + x[d + half] * x[d + half], result[d] * result[d] + result[d + half] * result[d + half]
            )
            #expect(abs(before - after) < 1e-5)
        }
    }

    @Test(arguments: supportedSets, widths)
    func cutsPackWhatIsAbove(isa: InstructionSet, width: Int) {
        let x = Self.row(width, seed: width)
        let level = cutLevel(x.span, deviations: 0.7, on: isa)
        let mean = x.map { Double($0) }.reduce(0, +) / Double(width)
        let variance = x.map { (Double($0) - mean) * (Double($0) - mean) }.reduce(0, +) / Double(width)
        #expect(abs(Double(level) - (mean + 0.7 * variance.squareRoot())) < 1e-6)
        var indices = [Int32](repeating: -1, count: width)
        var places = indices.mutableSpan
        var count = 0
        let packed = Self.changed(x) { count = cutGates(&$0, deviations: 0.7, into: &places, on: isa) }
        let expected = x.indices.filter { x[$0] - level > 0 }
        #expect(Array(indices[..<count]) == expected.map { Int32($0) })
        #expect(Array(packed[..<count]) == expected.map { x[$0] - level })
    }

    @Test(arguments: supportedSets)
    func cutsTakeAllOrNothing(isa: InstructionSet) {
        var indices = [Int32](repeating: -1, count: 50)
        var places = indices.mutableSpan
        var count = 0
        let x = Self.row(50, seed: 1)
        let all = Self.changed(x) { count = cutGates(&$0, deviations: -100, into: &places, on: isa) }
        #expect(count == 50 && all.allSatisfy { $0 > 0 })
        _ = Self.changed(x) { count = cutGates(&$0, deviations: 100, into: &places, on: isa) }
        #expect(count == 0)
        _ = Self.changed([Float](repeating: 3, count: 50)) {
            count = cutGates(&$0, deviations: 1, into: &places, on: isa)
        }
        #expect(count == 0)
        _ = Self.changed([Float](repeating: .nan, count: 50)) {
            count = cutGates(&$0, deviations: 1, into: &places, on: isa)
        }
        #expect(count == 0)
        #expect(Set(indices).isSubset(of: Set((-1..<50).map { Int32($0) })))
    }

    @Test(arguments: vectorSets, [1, 17, 96, 2_048])
    func streamsAgree(isa: InstructionSet, width: Int) {
        let (c, k) = (Self.row(16, seed: 6), Self.row(4, seed: 7))
        let (change, scale) = (Self.row(width, seed: 8), Self.row(width, seed: 9))
        func run(_ isa: InstructionSet) -> (streams: [Float], scaled: [Float]) {
            let streams = Tensor(Self.row(4 * 3 * width, seed: 10), shape: 4, 3, width)
            mixStreams(streams, row: 1, coefficients: c.span, on: isa)
            let scaled = Self.changed([Float](repeating: 0, count: width)) {
                correctStreams(
                    streams, row: 1, with: change.span, coefficients: k.span, scale: scale.span, into: &$0, on: isa)
            }
            return (streams.array, scaled)
        }
        let (result, twin) = (run(isa), run(.scalar))
        #expect(largestDifference(result.streams, twin.streams) < 1e-4)
        #expect(largestDifference(result.scaled, twin.scaled) < 1e-4)
        let before = Self.row(4 * 3 * width, seed: 10)
        for i in before.indices where i / width % 3 != 1 { #expect(result.streams[i] == before[i]) }
    }

    @Test(arguments: supportedSets, widths)
    func sumsScalesAndHalves(isa: InstructionSet, width: Int) {
        let (a, b, c) = (Self.row(width, seed: 1), Self.row(width, seed: 2), Self.row(width, seed: 3))
        let y = Tensor<Float>(1, width, filledWith: 0)
        addThree(
            Tensor(a, shape: 1, width), Tensor(b, shape: 1, width), Tensor(c, shape: 1, width), rows: 0..<1,
            factor: 0.5,
            into: y, on: isa)
        for i in 0..<width {
            let sum: Float = (a[i] + b[i] + c[i]) * 0.5
            #expect(y[0, i] == sum)
        }
        #expect(Self.changed(a) { scale(b.span, by: 3, into: &$0, on: isa) } == b.map { $0 * 3 })
        let magnitudes: [Float] = [1, 1e-5, 40_000]
        let x: [Float] = a.indices.map { a[$0] * magnitudes[$0 % 3] }
        #expect(Self.halves(x, isa) == x.map { Float16($0).bitPattern })
    }

    @Test(arguments: supportedSets)
    func halvesOfUnusualNumbers(isa: InstructionSet) {
        let x: [Float] = [
            0, -0.0, .infinity, -.infinity, 65_519, 65_520, -70_000, 6e-8, 2e-8, 3e-8, 6.1e-5, 6.09e-5, 1, 2049
        ]
        #expect(Self.halves(x, isa) == x.map { Float16($0).bitPattern })
        #expect(Self.halves([.nan, -.nan], isa).allSatisfy { Float16(bitPattern: $0).isNaN })
    }
}
