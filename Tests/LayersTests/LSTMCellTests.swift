import Kernels
import Layers
import TestSupport
import Testing

struct LSTMCellTests {
    @Test(arguments: supportedSets, [1, 16, 50, 128])
    func stepsMatchPlainLoops(isa: InstructionSet, hidden: Int) {
        var random = SplitMix64(seed: UInt64(hidden))
        let inputs = 20
        let (wi, wh) = (random.floats(4 * hidden * inputs), random.floats(4 * hidden * hidden, scale: 0.2))
        let (bi, bh) = (random.floats(4 * hidden), random.floats(4 * hidden))
        let cell = LSTMCell(
            weightsInput: wi, weightsHidden: wh, biasInput: bi, biasHidden: bh, inputs: inputs, hidden: hidden,
            instructionSet: isa)
        let state = cell.makeState()
        var (c, h) = ([Double](repeating: 0, count: hidden), [Float](repeating: 0, count: hidden))
        for _ in 0..<5 {
            let x = random.floats(inputs)
            cell.step(x.span, state: state)
            let gates = zip(linear(x, wi, bi, inputs: inputs), linear(h, wh, bh, inputs: hidden)).map { $0 + $1 }
            for i in 0..<hidden {
                c[i] = sigmoid(gates[hidden + i]) * c[i] + sigmoid(gates[i]) * hyperbolicTangent(gates[2 * hidden + i])
                h[i] = Float(sigmoid(gates[3 * hidden + i]) * hyperbolicTangent(c[i]))
            }
            #expect(difference(state.hidden, h.map { Double($0) }) < 1e-5)
            #expect(difference(state.cell, c) < 1e-5)
        }
        state.reset()
        #expect(state.hidden.array.allSatisfy { $0 == 0 } && state.cell.array.allSatisfy { $0 == 0 })
    }
}
