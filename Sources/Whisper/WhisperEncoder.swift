import Kernels
import Layers

/// The encoder of one stream, run in quanta: the convolutions, then one layer each.
final class WhisperEncoder {
    // T positions, d width
    private let model: WhisperModel
    private let pool: ThreadPool
    private let mel: Tensor<Float>  // [2·T, melBins]
    private let convolved: Tensor<Float>  // [2·T, d]
    private let stream: Tensor<Float>  // [T, d]
    private let normed: Tensor<Float>  // [T, d]
    private let fused: Tensor<Float>  // [T, 3d]
    private let hidden: Tensor<Float>  // [T, f]
    private let attention: BidirectionalAttention
    private var positions = 0
    private var nextLayer: Int?

    init(model: WhisperModel, pool: ThreadPool) {
        (self.model, self.pool) = (model, pool)
        let c = model.configuration
        mel = Tensor(2 * c.audioPositions, c.melBins, filledWith: 0)
        convolved = Tensor(2 * c.audioPositions, c.width, filledWith: 0)
        stream = Tensor(c.audioPositions, c.width, filledWith: 0)
        normed = Tensor(c.audioPositions, c.width, filledWith: 0)
        fused = Tensor(c.audioPositions, 3 * c.width, filledWith: 0)
        hidden = Tensor(c.audioPositions, c.feedForward, filledWith: 0)
        attention = BidirectionalAttention(
            maxFrames: c.audioPositions, heads: c.heads, headDim: c.headDim,
            precision: model.precision)
    }

    /// The encoder's output [positions, d] once `advance` has returned true.
    var output: Tensor<Float> { normed }
    var outputPositions: Int { positions }

    /// Starts on `features` [frames × melBins]; frames are even and at most 2 × audio positions.
    func begin(features: [Float], frames: Int) {
        let c = model.configuration
        precondition(frames % 2 == 0 && frames <= 2 * c.audioPositions && features.count == frames * c.melBins)
        mel.copy(features.span, to: 0)
        positions = frames / 2
        nextLayer = nil
    }

    /// Does one quantum. True when the output is there.
    func advance() -> Bool {
        guard let index = nextLayer else {
            convolve()
            nextLayer = 0
            return false
        }
        if index < model.encoderLayers.count {
            run(model.encoderLayers[index])
            nextLayer = index + 1
        }
        guard index + 1 >= model.encoderLayers.count else { return false }
        model.encoderNorm(stream, rows: positions, into: normed, pool: pool)
        return true
    }

    private func convolve() {
        model.conv1(mel, frames: 2 * positions, into: convolved, activation: .gelu, pool: pool)
        model.conv2(convolved, frames: 2 * positions, into: stream, activation: .gelu, pool: pool)
        let (x, table) = (stream, model.encoderPositions)
        pool.run(positions) { row in
            var values = x.mutableRow(row)
            let place = table.row(row)
            for column in place.indices { values[column] += place[column] }
        }
    }

    private func run(_ layer: WhisperModel.EncoderLayer) {
        let rows = positions
        layer.attentionNorm(stream, rows: rows, into: normed, pool: pool)
        layer.queryKeyValue(normed, rows: rows, into: fused, pool: pool)
        attention(qkv: fused, frames: rows, into: normed, pool: pool)
        layer.attentionOut(normed, rows: rows, into: stream, adding: true, pool: pool)
        layer.feedForwardNorm(stream, rows: rows, into: normed, pool: pool)
        layer.up(normed, rows: rows, into: hidden, activation: .gelu, pool: pool)
        layer.down(hidden, rows: rows, into: stream, adding: true, pool: pool)
    }
}
