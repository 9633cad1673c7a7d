import Kernels
import Layers
import TestSupport
import Testing

struct AttentionTests {
    let heads = 3
    let headDim = 32
    var width: Int { heads * headDim }

    @Test(arguments: supportedSets, [1, 12, 130])
    func bidirectionalMatchesPlainLoops(isa: InstructionSet, frames: Int) {
        var random = SplitMix64(seed: UInt64(frames))
        let qkv = Tensor(random.floats(frames * 3 * width), shape: frames, 3 * width)
        let layer = BidirectionalAttention(maxFrames: 131, heads: heads, headDim: headDim, instructionSet: isa)
        let output = Tensor<Float>(frames, width, filledWith: 0)
        layer(qkv: qkv, frames: frames, into: output, pool: .single)
        let expected = attention(
            queries: rows(qkv, 0..<width), keys: rows(qkv, width..<2 * width),
            values: rows(qkv, 2 * width..<3 * width), heads: heads, seen: { _ in frames })
        #expect(difference(output, expected.output) < 1e-5)
        let shared = Tensor<Float>(frames, width, filledWith: 0)
        layer(qkv: qkv, frames: frames, into: shared, pool: ThreadPool(threads: 2))
        #expect(bits(shared) == bits(output))
    }

    @Test func scratchOfALongCallDoesNotShowInAShortOne() {
        var random = SplitMix64(seed: 4)
        let qkv = Tensor(random.floats(100 * 3 * width), shape: 100, 3 * width)
        let used = BidirectionalAttention(maxFrames: 100, heads: heads, headDim: headDim)
        let (first, second) = (Tensor<Float>(100, width, filledWith: 0), Tensor<Float>(100, width, filledWith: 0))
        used(qkv: qkv, frames: 100, into: second, pool: .single)
        second.fill(0)
        used(qkv: qkv, frames: 37, into: second, pool: .single)
        BidirectionalAttention(maxFrames: 100, heads: heads, headDim: headDim)(
            qkv: qkv, frames: 37, into: first, pool: .single)
        #expect(bits(first) == bits(second))
    }

    @Test(arguments: supportedSets, [[40], [1, 1, 38], [4, 35, 1], [13, 13, 14]])
    func piecesOfACausalRunEqualTheWhole(isa: InstructionSet, pieces: [Int]) {
        var random = SplitMix64(seed: 5)
        let count = 40
        let qkv = Tensor(random.floats(count * 3 * width), shape: count, 3 * width)
        let expected = attention(
            queries: rows(qkv, 0..<width), keys: rows(qkv, width..<2 * width),
            values: rows(qkv, 2 * width..<3 * width), heads: heads, seen: { $0 + 1 })
        let whole = Tensor<Float>(count, width, filledWith: 0)
        let wholeCache = KVCache(capacity: 448, heads: heads, headDim: headDim, instructionSet: isa)
        wholeCache.attend(qkv: qkv, rows: count, into: whole, pool: .single)
        #expect(difference(whole, expected.output) < 1e-5)

        let cache = KVCache(capacity: 448, heads: heads, headDim: headDim, instructionSet: isa)
        let pool = ThreadPool(threads: 2)
        for piece in pieces {
            let range = cache.count..<cache.count + piece
            let output = Tensor<Float>(piece, width, filledWith: 0)
            cache.attend(qkv: slice(qkv, range), rows: piece, into: output, pool: pool)
            #expect(bits(output) == bits(slice(whole, range)))
        }
        #expect(cache.count == count)
    }

    @Test func aTruncatedCacheForgets() {
        var random = SplitMix64(seed: 6)
        let (start, other, next) = (
            Tensor(random.floats(10 * 3 * width), shape: 10, 3 * width),
            Tensor(random.floats(7 * 3 * width, scale: 100), shape: 7, 3 * width),
            Tensor(random.floats(3 * width), shape: 1, 3 * width)
        )
        let (plain, rewound) = (
            KVCache(capacity: 30, heads: heads, headDim: headDim), KVCache(capacity: 30, heads: heads, headDim: headDim)
        )
        let (a, b) = (Tensor<Float>(1, width, filledWith: 0), Tensor<Float>(1, width, filledWith: 0))
        plain.append(qkv: start, rows: 10)
        rewound.append(qkv: start, rows: 10)
        rewound.append(qkv: other, rows: 7)
        rewound.truncate(to: 10)
        plain.attend(qkv: next, rows: 1, into: a, pool: .single)
        rewound.attend(qkv: next, rows: 1, into: b, pool: .single)
        #expect(bits(a) == bits(b))
    }

    @Test(arguments: supportedSets, [1, 5, 14])
    func crossAttentionMatchesPlainLoopsAndTellsItsWeights(isa: InstructionSet, rowCount: Int) {
        var random = SplitMix64(seed: 7)
        let frames = 391
        let keysValues = Tensor(random.floats(frames * 2 * width), shape: frames, 2 * width)
        let query = Tensor(random.floats(rowCount * width, scale: 2), shape: rowCount, width)
        let layer = CrossAttention(maxFrames: 1_500, heads: heads, headDim: headDim, instructionSet: isa)
        let output = Tensor<Float>(rowCount, width, filledWith: 0)
        let weights = Tensor<Float>(rowCount, heads, frames, filledWith: 0)
        layer.store(keysValues: keysValues, frames: frames)
        layer.attend(query: query, rows: rowCount, into: output, weights: weights, pool: ThreadPool(threads: 2))
        let expected = attention(
            queries: rows(query, 0..<width), keys: rows(keysValues, 0..<width),
            values: rows(keysValues, width..<2 * width), heads: heads, seen: { _ in frames })
        #expect(difference(output, expected.output) < 1e-5)
        #expect(difference(weights, expected.weights) < 1e-6)
    }
}
