import Foundation
import Kernels
import TestSupport
import Testing
import Weights

/// What the block formats lose on weights that were really trained: the matrices of Gemma 3 270M that its file keeps in 8 bits.
///
/// The figure is the relative error of products: the root of Σ (x Wᵀ of the format - x Wᵀ)² / Σ (x Wᵀ)², for x of random numbers.
@Suite(.enabled(if: RealData.gemmaFile != nil, Comment(rawValue: RealData.needsGemmaFile)))
struct RealWeightErrorTests {
    private static let rows = 8

    private struct Losses {
        var q4 = 0.0, q8 = 0.0, q4AsPublished = 0.0, whole = 0.0

        func relative(_ loss: Double) -> Double { (loss / whole).squareRoot() }
    }

    @Test func fourBitsLoseLessThanThePublishedFormatAndEightBitsLittle() throws {
        let checkpoint = try Checkpoint.open(try #require(RealData.gemmaFile))
        let entries = checkpoint.names.compactMap { checkpoint.entry($0) }.filter {
            $0.type == .q8_0 && $0.shape.count == 2 && $0.name.hasPrefix("blk.")
        }
        try #require(!entries.isEmpty)
        var random = SplitMix64(seed: 270)
        var losses = Losses()
        for entry in entries {
            let (outputs, inputs) = (entry.shape[0], entry.shape[1])
            let weights = try checkpoint.floats(entry.name, shape: entry.shape)
            let x = random.floats(Self.rows * inputs)
            let exact = product(x, weights, inputs: inputs)
            losses.whole += exact.reduce(0) { $0 + Double($1 * $1) }
            losses.q4 += loss(of: .q4, x, weights, outputs: outputs, inputs: inputs, from: exact)
            losses.q8 += loss(of: .q8, x, weights, outputs: outputs, inputs: inputs, from: exact)
            losses.q4AsPublished += squares(product(x, roundedAsQ4_0(weights), inputs: inputs), exact)
        }
        let (q4, q8) = (losses.relative(losses.q4), losses.relative(losses.q8))
        let published = losses.relative(losses.q4AsPublished)
        print(
            String(
                format: "measured: relative error of products of %d real matrices: q4 %.4f, q8 %.4f, Q4_0 %.4f",
                entries.count, q4, q8, published))
        #expect(q4 < 0.95 * published)
        #expect(q8 < 0.015)
    }

    /// Σ (x Wᵀ - exact)² of the format, its rounding of x included.
    private func loss(
        of format: QuantizedFormat, _ x: [Float], _ weights: [Float], outputs: Int, inputs: Int, from exact: [Float]
    ) -> Double {
        let matrix = QuantizedMatrix(
            format: format, outputs: outputs, inputs: inputs,
            bytes: QuantizedMatrix.pack(weights.span, format: format, inputs: inputs))
        let rounded = QuantizedActivations(rows: Self.rows, inputs: inputs)
        rounded.quantize(Tensor(x, shape: Self.rows, inputs), rows: 0..<Self.rows)
        let y = Tensor<Float>(Self.rows, outputs, filledWith: 0)
        matrix.multiply(rounded, rows: 0..<Self.rows, into: y, panels: 0..<matrix.panels)
        return squares((0..<y.count).map { y.span[$0] }, exact)
    }

    private func squares(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    }

    private func product(_ x: [Float], _ weights: [Float], inputs: Int) -> [Float] {
        let packed = PackedMatrix(
            weights: weights, bias: nil, outputs: weights.count / inputs, inputs: inputs, precision: .float32)
        let y = Tensor<Float>(Self.rows, weights.count / inputs, filledWith: 0)
        packed.multiply(Tensor(x, shape: Self.rows, inputs), rows: 0..<Self.rows, into: y, panels: 0..<packed.panels)
        return (0..<y.count).map { y.span[$0] }
    }

    /// Through ggml's Q4_0: blocks of 32, a scale each, which the number of the largest magnitude sets.
    private func roundedAsQ4_0(_ weights: [Float]) -> [Float] {
        stride(from: 0, to: weights.count, by: 32).flatMap { start in
            let block = weights[start..<start + 32]
            let largest = block.max { abs($0) < abs($1) } ?? 0
            let scale = largest / -8
            return block.map { scale == 0 ? 0 : (min(15, ($0 / scale + 8.5).rounded(.down)) - 8) * scale }
        }
    }
}
