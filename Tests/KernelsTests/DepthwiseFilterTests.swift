import Kernels
import TestSupport
import Testing

struct DepthwiseFilterTests {
    struct Case: CustomTestStringConvertible {
        let height, width, kernel, stride: Int
        var testDescription: String { "\(height)×\(width), kernel \(kernel), stride \(stride)" }
        var geometry: ConvolutionGeometry {
            ConvolutionGeometry(height: height, width: width, kernel: kernel, stride: stride)
        }
    }

    static let cases = [(1, 1), (2, 3), (3, 8), (5, 4), (7, 7), (9, 16), (14, 17), (4, 40)].flatMap { height, width in
        [(3, 1), (3, 2), (5, 1), (5, 2)].map { Case(height: height, width: width, kernel: $0, stride: $1) }
    }
    static let channels = [1, 7, 8, 15, 16, 17, 24, 33]

    @Test(arguments: supportedSets, cases)
    func staysWithinItsBound(isa: InstructionSet, size: Case) {
        for channels in Self.channels {
            var random = SplitMix64(seed: UInt64(channels))
            let (weights, bias) = (random.floats(channels * size.kernel * size.kernel), random.floats(channels))
            let x = random.floats(size.height * size.width * channels)
            let y = convolve(weights, bias, x, channels, size.geometry, isa)
            var excess: Float = 0
            for (index, found) in y.array.enumerated() {
                let (exact, magnitudes) = reference(weights, bias, x, channels, size, output: index)
                let bound = 4 * Float(size.kernel * size.kernel) * Float.ulpOfOne * Float(magnitudes)
                excess = max(excess, Float(abs(Double(found) - exact)) / bound)
            }
            #expect(excess <= 1, "\(channels) channels")
        }
    }

    @Test(
        "Rows come out the same in any partition, from the whole picture or from the rows they see",
        arguments: supportedSets, cases)
    func partitionsChangeNoBit(isa: InstructionSet, size: Case) {
        let (channels, geometry) = (19, size.geometry)
        var random = SplitMix64(seed: 2)
        let filter = DepthwiseFilter(
            weights: random.floats(channels * size.kernel * size.kernel), bias: random.floats(channels),
            channels: channels, kernel: size.kernel, instructionSet: isa)
        let x = Tensor(random.floats(size.height * size.width * channels), shape: size.height * size.width, channels)
        let outputs = geometry.outputHeight * geometry.outputWidth
        let whole = Tensor<Float>(outputs, channels, filledWith: .nan)
        filter.apply(x, geometry: geometry, rows: 0..<geometry.outputHeight, into: whole, at: 0, activation: .relu6)
        let pieces = Tensor<Float>(outputs, channels, filledWith: .nan)
        for row in 0..<geometry.outputHeight {
            let seen = geometry.inputRows(of: row..<row + 1)
            let strip = Tensor<Float>(seen.count * size.width, channels, filledWith: .nan)
            strip.copy(x, from: seen.lowerBound * size.width * channels, count: strip.count, to: 0)
            filter.apply(
                strip, firstInputRow: seen.lowerBound, geometry: geometry, rows: row..<row + 1, into: pieces,
                at: row * geometry.outputWidth, activation: .relu6)
        }
        #expect(whole.array.bits == pieces.array.bits)
        #expect(whole.array.allSatisfy { (0...6).contains($0) })
    }

    @Test("Nothing beyond the outputs is written, and padding is TensorFlow's", arguments: supportedSets, channels)
    func onesCountTheTapsInside(isa: InstructionSet, channels: Int) {
        // Stride 2 over 6 needs one zero: it comes after.
        let geometry = ConvolutionGeometry(height: 6, width: 6, kernel: 3, stride: 2)
        let filter = DepthwiseFilter(
            weights: [Float](repeating: 1, count: channels * 9), bias: nil, channels: channels, kernel: 3,
            instructionSet: isa)
        let y = Tensor<Float>(11, channels, filledWith: -1)
        filter.apply(
            Tensor<Float>(36, channels, filledWith: 1), geometry: geometry, rows: 0..<3, into: y, at: 1)
        let expected: [Float] = [-1, 9, 9, 6, 9, 9, 6, 6, 6, 4, -1]
        #expect(y.array == expected.flatMap { [Float](repeating: $0, count: channels) })
    }

    @Test(arguments: supportedSets)
    func extremesBehave(isa: InstructionSet) {
        let geometry = ConvolutionGeometry(height: 1, width: 9, kernel: 3, stride: 1)
        var x = [Float](repeating: 1, count: 9 * 2)
        (x[0], x[8 * 2 + 1]) = (.nan, .infinity)
        let weights = [Float](repeating: 1, count: 18)
        let plain = convolve(weights, nil, x, 2, geometry, isa)
        #expect(plain[0, 0].isNaN && plain[1, 0].isNaN && plain[2, 0] == 3 && plain[0, 1] == 2)
        #expect(plain[7, 1] == .infinity && plain[8, 1] == .infinity && plain[8, 0] == 2)
        let clamped = convolve(weights, nil, x, 2, geometry, isa, .relu6)
        #expect(clamped[0, 0].isNaN && clamped[8, 1] == 6 && clamped[2, 0] == 3)
    }

    @Test(arguments: vectorSets, [Activation.none, .relu, .relu6, .gelu, .sigmoid])
    func activationsMatchTheScalarTwin(isa: InstructionSet, activation: Activation) {
        let (channels, geometry) = (21, ConvolutionGeometry(height: 5, width: 6, kernel: 5, stride: 1))
        var random = SplitMix64(seed: 4)
        let weights = random.floats(channels * 25)
        let (bias, x) = (random.floats(channels), random.floats(30 * channels, scale: 3))
        let y = convolve(weights, bias, x, channels, geometry, isa, activation)
        let twin = convolve(weights, bias, x, channels, geometry, .scalar, activation)
        #expect(largestDifference(y.array, twin.array) < 2e-5)
    }

    private func convolve(
        _ weights: [Float], _ bias: [Float]?, _ x: [Float], _ channels: Int, _ geometry: ConvolutionGeometry,
        _ isa: InstructionSet, _ activation: Activation = .none
    ) -> Tensor<Float> {
        let filter = DepthwiseFilter(
            weights: weights, bias: bias, channels: channels, kernel: geometry.kernel, instructionSet: isa)
        let y = Tensor<Float>(geometry.outputHeight * geometry.outputWidth, channels, filledWith: .nan)
        filter.apply(
            Tensor(x, shape: geometry.height * geometry.width, channels), geometry: geometry,
            rows: 0..<geometry.outputHeight, into: y, at: 0, activation: activation)
        return y
    }

    private func reference(
        _ weights: [Float], _ bias: [Float], _ x: [Float], _ channels: Int, _ size: Case, output: Int
    ) -> (sum: Double, magnitudes: Double) {
        let (c, pixel, k) = (output % channels, output / channels, size.kernel)
        let (outHeight, outWidth) = (
            (size.height + size.stride - 1) / size.stride, (size.width + size.stride - 1) / size.stride
        )
        let top = pixel / outWidth * size.stride - max((outHeight - 1) * size.stride + k - size.height, 0) / 2
        let left = pixel % outWidth * size.stride - max((outWidth - 1) * size.stride + k - size.width, 0) / 2
        var (sum, magnitudes) = (Double(bias[c]), Double(abs(bias[c])))
        for i in 0..<k {
            for j in 0..<k where (0..<size.height).contains(top + i) && (0..<size.width).contains(left + j) {
                let product =
                    Double(x[((top + i) * size.width + left + j) * channels + c]) * Double(weights[(c * k + i) * k + j])
                sum += product
                magnitudes += abs(product)
            }
        }
        return (sum, magnitudes)
    }
}
