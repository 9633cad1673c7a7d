import Kernels
import Layers
import Weights

/// One block: [H·W, inputs] ─ expand, relu6 ─► [H·W, hidden] ─ depthwise, relu6 ─► [H'·W', hidden] ─ project ─► [H'·W', outputs].
///
/// Sandler et al. 2018 (MobileNetV2). A residual block adds its result to its input.
final class InvertedResidual: Sendable {
    let shape: EfficientNetArchitecture.Block
    let expand: Linear?
    let depthwise: DepthwiseConv2d
    let project: Linear

    init(
        _ shape: EfficientNetArchitecture.Block, weights: FoldedWeights, prefix: String, precision: Precision,
        instructionSet: InstructionSet
    ) throws(WeightsError) {
        self.shape = shape
        expand =
            !shape.expands
            ? nil
            : try weights.pointwise(
                prefix + "_expand_conv", norm: prefix + "_bn0", outputs: shape.hidden, inputs: shape.inputs,
                precision: precision, instructionSet: instructionSet)
        let filter = try weights.convolution(
            prefix + "_depthwise_conv", norm: prefix + "_bn1", shape: [shape.hidden, 1, shape.kernel, shape.kernel])
        depthwise = DepthwiseConv2d(
            weights: filter.weights, bias: filter.bias, channels: shape.hidden, kernel: shape.kernel,
            stride: shape.stride, instructionSet: instructionSet)
        project = try weights.pointwise(
            prefix + "_project_conv", norm: prefix + "_bn2", outputs: shape.outputs, inputs: shape.hidden,
            precision: precision, instructionSet: instructionSet)
    }
}
