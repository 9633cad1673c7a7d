import Kernels
import Layers
import TestSupport
import Testing

struct Conv1dTests {
    struct Case: CustomTestStringConvertible {
        let frames, inputs, outputs, taps, stride, padding: Int
        var testDescription: String { "\(frames) frames, \(taps) taps, stride \(stride), padding \(padding)" }
    }

    @Test(arguments: [
        Case(frames: 50, inputs: 80, outputs: 40, taps: 3, stride: 1, padding: 1),
        Case(frames: 301, inputs: 40, outputs: 40, taps: 3, stride: 2, padding: 1),
        Case(frames: 7, inputs: 3, outputs: 5, taps: 5, stride: 3, padding: 0),
        Case(frames: 1, inputs: 4, outputs: 33, taps: 3, stride: 2, padding: 2),
        Case(frames: 2, inputs: 4, outputs: 8, taps: 3, stride: 1, padding: 0)
    ])
    func matchesPlainLoops(size: Case) {
        var random = SplitMix64(seed: 1)
        let weights = random.floats(size.outputs * size.inputs * size.taps)
        let (bias, x) = (random.floats(size.outputs), random.floats(size.frames * size.inputs))
        let layer = Conv1d(
            weights: weights, bias: bias, outputs: size.outputs, inputs: size.inputs, taps: size.taps,
            stride: size.stride, padding: size.padding)
        let frames = layer.outputFrames(size.frames)
        #expect(
            frames == max(0, (size.frames + 2 * size.padding - size.taps) / size.stride + 1) || size.frames < size.taps)
        let output = Tensor<Float>(frames, size.outputs, filledWith: 0)
        layer(
            Tensor(x, shape: size.frames, size.inputs), frames: size.frames, into: output, activation: .relu,
            pool: ThreadPool(threads: 2))
        var expected: [Double] = []
        for frame in 0..<frames {
            for out in 0..<size.outputs {
                var sum = Double(bias[out])
                for tap in 0..<size.taps {
                    let at = frame * size.stride + tap - size.padding
                    guard (0..<size.frames).contains(at) else { continue }
                    for channel in 0..<size.inputs {
                        sum +=
                            Double(x[at * size.inputs + channel])
                            * Double(weights[(out * size.inputs + channel) * size.taps + tap])
                    }
                }
                expected.append(max(sum, 0))
            }
        }
        #expect(difference(output, expected) < 2e-5)
    }
}
