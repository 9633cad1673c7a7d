package import Kernels

/// One picture on its way through an encoder.
package final class GemmaVisionRun {
    private let encoder: GemmaVisionEncoder
    private let number: Int
    private let plan: VisionPlan
    private var pass = 0
    private var row = 0
    /// Told of every part of the network that is done: stem, stage0..., tower; for comparisons.
    package var observe: ((String, Tensor<Float>) -> Void)?

    /// Multiplications of one step: about 5 ms on two cores.
    static let stepWork = 400_000_000

    init(_ encoder: GemmaVisionEncoder, number: Int, resolution: Int, fill: @escaping (Tensor<Float>) -> Void) {
        (self.encoder, self.number) = (encoder, number)
        plan = VisionPlan(encoder, resolution: resolution, fill: fill)
    }

    package var isFinished: Bool { pass == plan.passes.count }

    /// Does one step, of about equal length.
    /// - Returns: Whether there is more to do.
    package func advance() -> Bool {
        precondition(isFinished || encoder.current == number, "another picture was begun, or the memory given up")
        var work = Self.stepWork
        while !isFinished {
            let current = plan.passes[pass]
            let rows = min(max(work / max(current.work, 1), work == Self.stepWork ? 1 : 0), current.rows - row)
            if rows == 0 { break }
            current.run(row..<row + rows)
            row += rows
            work -= rows * current.work
            if row < current.rows { break }
            if let label = current.label { observe?(label, plan.map) }
            (pass, row) = (pass + 1, 0)
        }
        return !isFinished
    }

    /// The soft tokens of the finished run: [tokens, text width]. They are the caller's.
    package var tokens: Tensor<Float> {
        precondition(isFinished, "the picture is not through")
        return plan.tokens
    }
}
