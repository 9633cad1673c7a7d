package import Kernels
import Layers

/// One picture on its way through a model: a block a step, so that whoever is more urgent can go between.
///
/// It belongs to one thread at a time and is used for picture after picture: its buffers are made once.
package final class EfficientNetRun {
    private let model: EfficientNetModel
    private let pool: ThreadPool
    private let stemGeometry: ConvolutionGeometry
    private let windows: Tensor<Float>
    private let stemOutput: Tensor<Float>
    private let stages: [Stage]
    private let lastBlock: Tensor<Float>  // [pixels, outputs of the last block]
    private let features: Tensor<Float>  // [pixels, head]
    private let pooled: Tensor<Float>  // [1, head]
    private let logits: Tensor<Float>  // [1, classes]
    private var input: Tensor<Float>?
    private var next = 0

    /// The buffers of one block, in memory that blocks share.
    private struct Stage {
        let block: InvertedResidual
        let geometry: ConvolutionGeometry
        let input, hidden, filtered, output: Tensor<Float>
    }

    package init(_ model: EfficientNetModel, pool: ThreadPool) {
        self.model = model
        self.pool = pool
        let architecture = model.architecture
        stemGeometry = model.stem.geometry(height: architecture.inputSize, width: architecture.inputSize)
        var geometries: [ConvolutionGeometry] = []
        var (height, width) = (stemGeometry.outputHeight, stemGeometry.outputWidth)
        var (narrow, wide, windowCount) = (height * width * architecture.stem, 0, height * width * 27)
        for block in model.blocks {
            let geometry = block.depthwise.geometry(height: height, width: width)
            geometries.append(geometry)
            wide = max(wide, height * width * block.shape.hidden)
            (height, width) = (geometry.outputHeight, geometry.outputWidth)
            narrow = max(narrow, height * width * block.shape.outputs)
            windowCount = max(windowCount, height * width * block.shape.hidden)
        }
        let blockWidth = architecture.blocks.last?.outputs ?? architecture.stem
        wide = max(wide, height * width * architecture.head)
        // A block reads one narrow buffer and writes the other, or adds to the one it reads.
        var (near, far) = (Tensor<Float>(narrow, filledWith: 0), Tensor<Float>(narrow, filledWith: 0))
        let hidden = Tensor<Float>(max(wide, 1), filledWith: 0)
        let filtered = Tensor<Float>(windowCount, filledWith: 0)
        windows = filtered.view(stemGeometry.outputHeight * stemGeometry.outputWidth, 27)
        stemOutput = near.view(windows.rows, architecture.stem)
        var stages: [Stage] = []
        for (block, geometry) in zip(model.blocks, geometries) {
            let pixels = geometry.height * geometry.width
            let outputPixels = geometry.outputHeight * geometry.outputWidth
            let input = near.view(pixels, block.shape.inputs)
            if !block.shape.isResidual { swap(&near, &far) }
            stages.append(
                Stage(
                    block: block, geometry: geometry, input: input,
                    hidden: block.expand == nil ? input : hidden.view(pixels, block.shape.hidden),
                    filtered: filtered.view(outputPixels, block.shape.hidden),
                    output: near.view(outputPixels, block.shape.outputs)))
        }
        self.stages = stages
        lastBlock = near.view(height * width, blockWidth)
        features = hidden.view(height * width, architecture.head)
        pooled = Tensor<Float>(1, architecture.head, filledWith: 0)
        logits = Tensor<Float>(1, architecture.classes, filledWith: 0)
    }

    /// Begins a picture; an unfinished one is given up.
    /// - Parameter input: [inputSize · inputSize, 3], as `pixels(from:)` gives it.
    package func begin(_ input: Tensor<Float>) {
        precondition(
            input.columns == 3 && input.rows == model.inputSize * model.inputSize,
            "\(input.shape) for \(model.inputSize)")
        self.input = input
        next = 0
    }

    /// Does the stem, one block or the head.
    /// - Returns: Whether the picture is through.
    package func step() -> Bool {
        guard let input else { return true }
        if next == 0 {
            model.stem(input, stemGeometry, windows: windows, into: stemOutput, activation: .relu6, pool: pool)
        } else if next <= stages.count {
            run(stages[next - 1])
        } else {
            classify()
            self.input = nil
            return true
        }
        next += 1
        return false
    }

    /// Of the picture that is through: one for each class, in the order of ImageNetLabels; their sum is 1.
    package var probabilities: [Float] {
        var row = logits.array
        var span = row.mutableSpan
        softmax(&span)
        return row
    }

    private func run(_ stage: Stage) {
        let block = stage.block
        let geometry = stage.geometry
        block.expand?(
            stage.input, rows: geometry.height * geometry.width, into: stage.hidden, activation: .relu6, pool: pool)
        block.depthwise(stage.hidden, geometry, into: stage.filtered, activation: .relu6, pool: pool)
        block.project(
            stage.filtered, rows: geometry.outputHeight * geometry.outputWidth, into: stage.output,
            adding: block.shape.isResidual, pool: pool)
    }

    private func classify() {
        let pixels = lastBlock.rows
        model.head(lastBlock, rows: pixels, into: features, activation: .relu6, pool: pool)
        let (features, pooled) = (features, pooled)
        pooled.fill(0)
        var mean = pooled.mutableSpan
        for pixel in 0..<pixels { axpy(1 / Float(pixels), features.row(pixel), into: &mean) }
        model.classifier(pooled, rows: 1, into: logits, pool: pool)
    }
}
