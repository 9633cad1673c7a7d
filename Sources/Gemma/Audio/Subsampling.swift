import Kernels
import Layers
import Signal

// From sound to frames of 40 ms: F bins, C channels, D width.
//
//   mel 4t ... 4t + 6 ─ 3 × 3, stride 2 ─► rows 2t, 2t + 1, 2t + 2 ─ 3 × 3, stride 2 ─► row t ─ [F·C] ─► [D] ─► frame t
//
// A convolution is causal but for two rows of look-ahead. Row 4t + 2 of the mel and row 2t of the first convolution are
// used twice; nothing else is kept.

/// One of the two convolutions and its norm.
struct SubsamplingWeights: Sendable {
    static let taps = 3  // in time and in frequency
    let bins: Int  // of its output
    let inputChannels: Int
    let linear: Linear  // [C, 3 · 3 · input channels], taps of one time side by side
    let scale: [Float]  // [C]
    let epsilon: Double

    init(_ index: Int, _ reader: AudioTensors<some GemmaTensorSource>) throws {
        let (config, taps) = (reader.config, Self.taps)
        let (inputs, outputs) = (index == 0 ? 1 : config.channels[0], config.channels[index])
        bins = config.bins(behind: index + 1)
        inputChannels = inputs
        epsilon = config.convolutionEpsilon
        scale = try reader.floats("conv_\(index).norm.weight", [outputs])
        let weights = try reader.floats("conv_\(index).conv.weight", [outputs, inputs, taps, taps])
        var byTap = [Float](repeating: 0, count: weights.count)
        for output in 0..<outputs {
            for input in 0..<inputs {
                for tap in 0..<taps * taps {
                    byTap[(output * taps * taps + tap) * inputs + input] =
                        weights[(output * inputs + input) * taps * taps + tap]
                }
            }
        }
        linear = Linear(
            weights: byTap, bias: nil, outputs: outputs, inputs: taps * taps * inputs, precision: .float32)
    }
}

/// A convolution that runs along time: its scratch, and all that its norm remembers.
struct SubsamplingConvolution {
    let weights: SubsamplingWeights
    /// Rows of the input, oldest first: [rows, (bins + 2) · input channels], zeros on both sides.
    let input: Tensor<Float>
    private let windows: Tensor<Float>
    let output: Tensor<Float>  // [bins, C], one row of the output
    private var norm = CumulativeNorm()

    init(_ weights: SubsamplingWeights, inputBins: Int, rows: Int) {
        self.weights = weights
        input = Tensor(rows, (inputBins + 2) * weights.inputChannels, filledWith: 0)
        windows = Tensor(weights.bins, weights.linear.inputs, filledWith: 0)
        output = Tensor(weights.bins, weights.linear.outputs, filledWith: 0)
    }

    mutating func reset() { norm = CumulativeNorm() }

    /// Puts a row of [bins, input channels] where input row `row` is.
    func setInput(_ row: Int, _ values: Span<Float>) {
        input.copy(values, to: row * input.columns + weights.inputChannels)
    }

    func clearInput(_ row: Int) {
        var values = input.mutableRow(row)
        for index in values.indices { values[index] = 0 }
    }

    /// The oldest row is now the one that was `row`.
    func keepInput(_ row: Int) { input.copy(input, from: row * input.columns, count: input.columns, to: 0) }

    /// Into `output`: the row over input rows `first`...`first + 2`.
    mutating func run(from first: Int, pool: ThreadPool) {
        let taps = SubsamplingWeights.taps
        let run = taps * weights.inputChannels
        for bin in 0..<weights.bins {
            for tap in 0..<taps {
                windows.copy(
                    input, from: (first + tap) * input.columns + 2 * bin * weights.inputChannels, count: run,
                    to: (bin * taps + tap) * run)
            }
        }
        weights.linear(windows, rows: weights.bins, into: output, pool: pool)
        norm.apply(to: output, scale: weights.scale, epsilon: weights.epsilon)
    }
}

/// Everything before the conformer, one stream's.
struct Subsampling {
    private(set) var mel: FrameMel
    private var first, second: SubsamplingConvolution
    private let projection: Linear
    private let features: Tensor<Float>  // [4, bins]
    private let flat: Tensor<Float>  // [1, D]
    private let frame: Tensor<Float>
    /// Frames made so far: t.
    private(set) var frames = 0

    /// Mel frames that one frame advances by.
    static let stride = 4

    init(_ weights: GemmaAudioWeights) {
        mel = FrameMel(configuration: weights.mel)
        let bins = weights.config.melBins
        first = SubsamplingConvolution(weights.convolutions[0], inputBins: bins, rows: Self.stride + 1)
        second = SubsamplingConvolution(
            weights.convolutions[1], inputBins: weights.convolutions[0].bins, rows: SubsamplingWeights.taps)
        projection = weights.inputProjection
        features = Tensor(Self.stride, bins, filledWith: 0)
        flat = second.output.view(1, second.output.count)
        frame = Tensor(1, projection.outputs, filledWith: 0)
    }

    mutating func append(_ samples: Span<Float>) { mel.append(samples) }

    mutating func finish(paddingSamples: Int) { mel.finish(paddingSamples: paddingSamples) }

    mutating func reset() {
        mel.reset()
        first.reset()
        second.reset()
        frames = 0
    }

    /// Whether all frames of a sound that has ended are made.
    var isDone: Bool { frameCount.map { frames >= $0 } ?? false }

    /// How many frames the sound has; nil while it goes on.
    private var frameCount: Int? { rowCount.map { ($0 + 1) / 2 } }
    /// Rows of the first convolution.
    private var rowCount: Int? { mel.frameCount.map { ($0 + 1) / 2 } }

    /// Whether the next frame can be made: its look-ahead is there, or there will be none.
    var isReady: Bool {
        if let frameCount { return frames < frameCount }
        return mel.framesReady >= (frames == 0 ? Self.stride + SubsamplingWeights.taps : Self.stride)
    }

    /// Makes the next frame: row `row` of `output` [_, D].
    mutating func step(into output: Tensor<Float>, row: Int, trace: GemmaAudioTrace?, pool: ThreadPool) {
        if frames == 0 {
            // What other frames keep from the one before: mel row 2 and row 0 of the first convolution.
            takeMel(SubsamplingWeights.taps, at: 0, trace)
            runFirst(0, from: 0, into: 0, trace, pool)
            first.keepInput(SubsamplingWeights.taps - 1)
        }
        takeMel(Self.stride, at: 1, trace)
        runFirst(2 * frames + 1, from: 0, into: 1, trace, pool)
        runFirst(2 * frames + 2, from: 2, into: 2, trace, pool)
        second.run(from: 0, pool: pool)
        trace?.second += second.output.array
        projection(flat, rows: 1, into: frame, pool: pool)
        output.copy(frame, from: 0, count: frame.count, to: row * output.columns)
        trace?.frames += frame.array
        first.keepInput(Self.stride)
        second.keepInput(SubsamplingWeights.taps - 1)
        frames += 1
    }

    /// The next `count` mel frames as input rows from `row` on; zeros behind the last one.
    private mutating func takeMel(_ count: Int, at row: Int, _ trace: GemmaAudioTrace?) {
        let (features, taken) = (features, min(count, mel.framesReady))
        if taken > 0 {
            var target = features.mutableSpan(of: 0..<taken * features.columns)
            mel.take(taken, into: &target)
        }
        for index in 0..<count {
            if index < taken {
                first.setInput(row + index, features.row(index))
                trace?.mel += features.columnsOfRow(index)
            } else {
                first.clearInput(row + index)
            }
        }
    }

    /// Row `number` of the first convolution as input row `target` of the second; zeros behind the last one.
    private mutating func runFirst(
        _ number: Int, from row: Int, into target: Int, _ trace: GemmaAudioTrace?, _ pool: ThreadPool
    ) {
        if let rowCount, number >= rowCount { return second.clearInput(target) }
        first.run(from: row, pool: pool)
        second.setInput(target, first.output.span)
        trace?.first += first.output.array
    }
}

/// What passes through the encoder, for those who compare.
final class GemmaAudioTrace {
    var mel: [Float] = []  // [mel frames, bins]
    var first: [Float] = []  // [rows, bins, channels]
    var second: [Float] = []
    var frames: [Float] = []  // [frames, D]
    var layers: [[Float]]  // of each: [frames, D]
    var outputs: [Float] = []  // [tokens, D]

    init(layers: Int) { self.layers = Array(repeating: [], count: layers) }
}

extension Tensor where Element == Float {
    /// A copy of one row.
    func columnsOfRow(_ row: Int) -> [Float] { Array(array[row * columns..<(row + 1) * columns]) }
}
