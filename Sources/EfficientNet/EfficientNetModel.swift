package import Kernels
import Layers
package import Weights

/// EfficientNet-Lite: what is in a picture, as probabilities of the thousand classes of ImageNet.
///
/// ```
/// Picture ─► pixels(from:) [S·S, 3] ─► stem 3×3/2 ─► blocks: expand 1×1 ─► depthwise ─► project 1×1 ─► head 1×1 ─► mean ─► classes
/// ```
/// Activations are [pixels, channels], so every 1 × 1 convolution is a product of matrices. Batch norms are folded into
/// the weights as they load. The model is shared; an `EfficientNetRun` is one picture on its way through it.
package final class EfficientNetModel: Sendable {
    package let architecture: EfficientNetArchitecture
    let stem: Conv2d
    let blocks: [InvertedResidual]
    let head: Linear
    let classifier: Linear

    /// Side of the square picture it takes, in pixels.
    package var inputSize: Int { architecture.inputSize }

    /// - Parameters:
    ///   - checkpoint: With the tensor names of the torch package `efficientnet-lite-pytorch`.
    ///   - architecture: As the checkpoint's shapes tell, unless given.
    /// - Throws: `EfficientNetError`, `WeightsError`.
    package init(
        _ checkpoint: Checkpoint, architecture: EfficientNetArchitecture? = nil, precision: Precision = .float32,
        instructionSet: InstructionSet = .active
    ) throws {
        let architecture = try architecture ?? EfficientNetArchitecture(of: checkpoint)
        self.architecture = architecture
        let weights = FoldedWeights(checkpoint)
        let first = try weights.convolution("_conv_stem", norm: "_bn0", shape: [architecture.stem, 3, 3, 3])
        stem = Conv2d(
            weights: first.weights, bias: first.bias, outputs: architecture.stem, inputs: 3, kernel: 3, stride: 2,
            instructionSet: instructionSet)
        blocks = try architecture.blocks.enumerated().map { index, block in
            try InvertedResidual(
                block, weights: weights, prefix: "_blocks.\(index).", precision: precision,
                instructionSet: instructionSet)
        }
        let inputs = architecture.blocks.last?.outputs ?? architecture.stem
        head = try weights.pointwise(
            "_conv_head", norm: "_bn1", outputs: architecture.head, inputs: inputs, precision: precision,
            instructionSet: instructionSet)
        classifier = Linear(
            weights: try checkpoint.floats("_fc.weight", shape: [architecture.classes, architecture.head]),
            bias: try checkpoint.floats("_fc.bias", shape: [architecture.classes]), outputs: architecture.classes,
            inputs: architecture.head, precision: precision, instructionSet: instructionSet)
    }
}

/// Convolutions with the batch norm behind them folded in.
struct FoldedWeights {
    private let checkpoint: Checkpoint
    private static let epsilon = 1e-3  // batch_norm_epsilon

    init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }

    /// - Parameter shape: Outputs first.
    func convolution(_ name: String, norm: String, shape: [Int]) throws(WeightsError) -> (
        weights: [Float], bias: [Float]
    ) {
        var weights = try checkpoint.floats("\(name).weight", shape: shape)
        let channels = [shape[0]]
        let gamma = try checkpoint.floats("\(norm).weight", shape: channels)
        let beta = try checkpoint.floats("\(norm).bias", shape: channels)
        let mean = try checkpoint.floats("\(norm).running_mean", shape: channels)
        let variance = try checkpoint.floats("\(norm).running_var", shape: channels)
        var bias = beta
        let taps = weights.count / shape[0]
        for channel in 0..<shape[0] {
            let scale = Double(gamma[channel]) / (Double(variance[channel]) + Self.epsilon).squareRoot()
            for tap in channel * taps..<(channel + 1) * taps { weights[tap] = Float(Double(weights[tap]) * scale) }
            bias[channel] = Float(Double(beta[channel]) - Double(mean[channel]) * scale)
        }
        return (weights, bias)
    }

    func pointwise(
        _ name: String, norm: String, outputs: Int, inputs: Int, precision: Precision, instructionSet: InstructionSet
    ) throws(WeightsError) -> Linear {
        let (weights, bias) = try convolution(name, norm: norm, shape: [outputs, inputs, 1, 1])
        return Linear(
            weights: weights, bias: bias, outputs: outputs, inputs: inputs, precision: precision,
            instructionSet: instructionSet)
    }
}
