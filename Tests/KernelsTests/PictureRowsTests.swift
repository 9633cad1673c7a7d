import Foundation
import Kernels
import TestSupport
import Testing

struct PictureRowsTests {
    private static let widths = [1, 3, 8, 9, 16, 17, 64, 100, 640, 2_560]

    private static func rows(_ width: Int, scale: Float, seed: UInt64) -> Tensor<Float> {
        var random = SplitMix64(seed: seed)
        return Tensor(random.floats(3 * width, scale: scale), shape: 3, width)
    }

    @Test(arguments: vectorSets, widths)
    func normedGELUFollowsTheScalarTwin(isa: InstructionSet, width: Int) {
        for scale in [Float(1e-3), 1, 1e4] {
            let (x, weight) = (Self.rows(width, scale: scale, seed: 1), Self.rows(width, scale: 6, seed: 2))
            func run(_ isa: InstructionSet) -> [Float] {
                let y = Tensor<Float>(3, width, filledWith: 0.5)
                rmsNormGELU(x, rows: 1..<3, weight: weight.view(width), epsilon: 1e-6, into: y, on: isa)
                return y.array
            }
            let (result, twin) = (run(isa), run(.scalar))
            for (a, b) in zip(result, twin) { #expect(abs(a - b) <= 2e-6 * max(abs(b), 1)) }
            #expect(result[..<width].allSatisfy { $0 == 0.5 })
        }
    }

    @Test(arguments: supportedSets) func normedGELUIsTheFormula(isa: InstructionSet) {
        let x = Self.rows(40, scale: 3, seed: 3)
        let ones = Tensor<Float>(40, filledWith: 2)
        rmsNormGELU(x, rows: 0..<1, weight: ones, epsilon: 1e-6, into: x, on: isa)
        let raw = Self.rows(40, scale: 3, seed: 3).array[..<40].map(Double.init)
        let size = (raw.map { $0 * $0 }.reduce(0, +) / 40 + 1e-6).squareRoot()
        for (value, input) in zip(x.array, raw) {
            let v = 2 * input / size
            let gelu = 0.5 * v * (1 + tanh((2 / Double.pi).squareRoot() * (v + 0.044715 * v * v * v)))
            #expect(abs(Double(value) - gelu) < 2e-6)
        }
    }

    @Test(arguments: vectorSets, widths)
    func scaledSumsEqualTheScalarTwin(isa: InstructionSet, width: Int) {
        let (x, scale) = (Self.rows(width, scale: 2, seed: 4), Self.rows(width, scale: 1, seed: 5))
        func run(_ isa: InstructionSet) -> [Float] {
            let y = Self.rows(width, scale: 1, seed: 6)
            addScaled(x, rows: 0..<2, scale: scale.view(width), into: y, on: isa)
            return y.array
        }
        let (result, twin) = (run(isa), run(.scalar))
        #expect(result == twin)
        #expect(result[(2 * width)...] == Self.rows(width, scale: 1, seed: 6).array[(2 * width)...])
    }

    @Test func partsOfATensorShareItsMemory() {
        let whole = Tensor<Float>((0..<12).map(Float.init), shape: 4, 3)
        let part = whole.part(rows: 1..<3)
        #expect(part.shape == [2, 3] && part.array == [3, 4, 5, 6, 7, 8])
        part[1, 2] = 80
        #expect(whole[2, 2] == 80)
    }
}
