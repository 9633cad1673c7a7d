package import Weights

/// The sizes of a network.
///
/// Tan and Le 2019 (EfficientNet), as "Lite": no squeeze-and-excitation, ReLU6, stem and head of fixed width.
package struct EfficientNetArchitecture: Equatable, Sendable {
    /// An inverted residual: expand by a 1 × 1, filter each channel, project back by a 1 × 1.
    package struct Block: Equatable, Sendable {
        package let inputs, outputs: Int
        /// Channels between the two 1 × 1 convolutions; `inputs` where there is no expansion.
        package let hidden: Int
        package let kernel, stride: Int

        package init(inputs: Int, outputs: Int, hidden: Int, kernel: Int, stride: Int) {
            (self.inputs, self.outputs, self.hidden) = (inputs, outputs, hidden)
            (self.kernel, self.stride) = (kernel, stride)
        }

        var expands: Bool { hidden != inputs }
        /// The block adds to its input. In Lite no first block of a stage has equal widths, so none is meant otherwise.
        var isResidual: Bool { stride == 1 && inputs == outputs }
    }

    /// Side of the square picture it takes.
    package let inputSize: Int
    package let stem: Int
    package let blocks: [Block]
    package let head: Int
    package let classes: Int

    package init(inputSize: Int, stem: Int, blocks: [Block], head: Int, classes: Int) {
        self.inputSize = inputSize
        self.stem = stem
        self.blocks = blocks
        self.head = head
        self.classes = classes
    }

    /// EfficientNet-Lite0 to 4.
    package static let lite: [EfficientNetArchitecture] = [
        (width: 1.0, depth: 1.0, inputSize: 224), (1.0, 1.1, 240), (1.1, 1.2, 260), (1.2, 1.4, 280), (1.4, 1.8, 300)
    ].map { EfficientNetArchitecture(width: $0.width, depth: $0.depth, inputSize: $0.inputSize) }

    private init(width: Double, depth: Double, inputSize: Int) {
        // (repeats, kernel, stride, expansion, outputs) of the stages of Lite0
        let stages = [
            (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
            (4, 5, 2, 6, 192),
            (1, 3, 1, 6, 320)
        ]
        var blocks: [Block] = []
        var inputs = 32
        for (index, (repeats, kernel, stride, expansion, outputs)) in stages.enumerated() {
            let ends = index == 0 || index == stages.count - 1  // neither stage is repeated more often
            let count = ends ? repeats : Int((depth * Double(repeats)).rounded(.up))
            let width = Self.scaled(outputs, by: width)
            for block in 0..<count {
                blocks.append(
                    Block(
                        inputs: inputs, outputs: width, hidden: inputs * expansion, kernel: kernel,
                        stride: block == 0 ? stride : 1))
                inputs = width
            }
        }
        self.init(inputSize: inputSize, stem: 32, blocks: blocks, head: 1_280, classes: 1_000)
    }

    /// The nearest multiple of 8, but never less than nine tenths.
    private static func scaled(_ channels: Int, by factor: Double) -> Int {
        let exact = Double(channels) * factor
        let rounded = max(8, Int(exact + 4) / 8 * 8)
        return Double(rounded) < 0.9 * exact ? rounded + 8 : rounded
    }

    /// The one of `lite` whose blocks have the widths of the checkpoint's.
    /// - Throws: `EfficientNetError.unknownArchitecture`.
    package init(of checkpoint: Checkpoint) throws(EfficientNetError) {
        func outputs(_ block: Int) -> Int? { checkpoint.entry("_blocks.\(block)._project_conv.weight")?.shape.first }
        guard
            let match = Self.lite.first(where: { architecture in
                outputs(architecture.blocks.count) == nil
                    && architecture.blocks.indices.allSatisfy { outputs($0) == architecture.blocks[$0].outputs }
            })
        else { throw .unknownArchitecture(path: checkpoint.path) }
        self = match
    }
}
