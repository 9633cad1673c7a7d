import Kernels
import Layers
import TestSupport
import Testing

struct Conv2dTests {
    struct Case: CustomTestStringConvertible {
        let height, width, inputs, outputs, kernel, stride: Int
        var testDescription: String { "\(height)×\(width)×\(inputs) to \(outputs), kernel \(kernel), stride \(stride)" }
    }

    @Test(arguments: [
        Case(height: 9, width: 11, inputs: 3, outputs: 32, kernel: 3, stride: 2),
        Case(height: 8, width: 8, inputs: 3, outputs: 8, kernel: 3, stride: 2),
        Case(height: 5, width: 4, inputs: 7, outputs: 33, kernel: 3, stride: 1),
        Case(height: 6, width: 7, inputs: 4, outputs: 5, kernel: 5, stride: 3),
        Case(height: 1, width: 1, inputs: 2, outputs: 3, kernel: 3, stride: 1),
        Case(height: 3, width: 5, inputs: 6, outputs: 4, kernel: 1, stride: 2)
    ])
    func matchesPlainLoops(size: Case) {
        var random = SplitMix64(seed: 1)
        let k = size.kernel
        let weights = random.floats(size.outputs * size.inputs * k * k)
        let (bias, x) = (random.floats(size.outputs), random.floats(size.height * size.width * size.inputs))
        let layer = Conv2d(
            weights: weights, bias: bias, outputs: size.outputs, inputs: size.inputs, kernel: k, stride: size.stride)
        let geometry = layer.geometry(height: size.height, width: size.width)
        let pixels = geometry.outputHeight * geometry.outputWidth
        func run(_ threads: Int) -> Tensor<Float> {
            let output = Tensor<Float>(pixels, size.outputs, filledWith: .nan)
            layer(
                Tensor(x, shape: size.height * size.width, size.inputs), geometry,
                windows: Tensor(pixels, k * k * size.inputs, filledWith: .nan), into: output, activation: .relu6,
                pool: ThreadPool(threads: threads))
            return output
        }
        let top = max((geometry.outputHeight - 1) * size.stride + k - size.height, 0) / 2
        let left = max((geometry.outputWidth - 1) * size.stride + k - size.width, 0) / 2
        var expected: [Double] = []
        for pixel in 0..<pixels {
            for output in 0..<size.outputs {
                var sum = Double(bias[output])
                for tap in 0..<k * k {
                    let row = pixel / geometry.outputWidth * size.stride + tap / k - top
                    let column = pixel % geometry.outputWidth * size.stride + tap % k - left
                    guard (0..<size.height).contains(row), (0..<size.width).contains(column) else { continue }
                    for input in 0..<size.inputs {
                        sum +=
                            Double(x[(row * size.width + column) * size.inputs + input])
                            * Double(weights[(output * size.inputs + input) * k * k + tap])
                    }
                }
                expected.append(min(max(sum, 0), 6))
            }
        }
        let output = run(1)
        #expect(difference(output, expected) < 2e-5)
        #expect(bits(output) == bits(run(3)))
    }

    @Test(arguments: [(7, 9, 3, 1), (12, 5, 5, 2), (1, 30, 5, 1)])
    func depthwiseLayersShareOutTheirRows(height: Int, width: Int, kernel: Int, stride: Int) {
        var random = SplitMix64(seed: 2)
        let channels = 20
        let layer = DepthwiseConv2d(
            weights: random.floats(channels * kernel * kernel), bias: nil, channels: channels, kernel: kernel,
            stride: stride)
        let x = Tensor(random.floats(height * width * channels), shape: height * width, channels)
        let geometry = layer.geometry(height: height, width: width)
        func run(_ threads: Int) -> Tensor<Float> {
            let output = Tensor<Float>(geometry.outputHeight * geometry.outputWidth, channels, filledWith: .nan)
            layer(x, geometry, into: output, pool: ThreadPool(threads: threads))
            return output
        }
        let alone = run(1)
        #expect(alone.array.allSatisfy { $0.isFinite })
        #expect(bits(alone) == bits(run(2)) && bits(alone) == bits(run(5)))
    }
}
