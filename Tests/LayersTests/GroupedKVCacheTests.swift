import Glibc
import Kernels
import Layers
import TestSupport
import Testing

struct GroupedKVCacheTests {
    private let keyHeads = 2
    private let group = 3
    private let headDim = 20
    private var keyWidth: Int { keyHeads * headDim }
    private var width: Int { keyWidth * group }

    /// By definition, in doubles: [rows, H·D].
    private func reference(_ queries: [Float], _ keys: [Float], _ values: [Float], window: Int?) -> [Double] {
        let rows = queries.count / width
        return (0..<rows * keyHeads * group).flatMap { index -> [Double] in
            let (row, head) = (index / (keyHeads * group), index % (keyHeads * group))
            let keyHead = head / group
            let seen = max(0, row - (window ?? rows) + 1)...row
            let scores = seen.map { position in
                (0..<headDim).reduce(0.0) {
                    $0 + Double(queries[row * width + head * headDim + $1])
                        * Double(keys[position * keyWidth + keyHead * headDim + $1])
                }
            }
            let powers = scores.map { exp($0 - scores.max()!) }
            let sum = powers.reduce(0, +)
            return (0..<headDim).map { d in
                zip(seen, powers).reduce(0.0) {
                    $0 + $1.1 / sum * Double(values[$1.0 * keyWidth + keyHead * headDim + d])
                }
            }
        }
    }

    @Test(arguments: [nil, 1, 5, 64] as [Int?], [1, 7, 30]) func matchesTheDefinition(window: Int?, chunk: Int) {
        var random = SplitMix64(seed: UInt64(chunk))
        let rows = 150
        let (queries, keys) = (random.floats(rows * width), random.floats(rows * keyWidth))
        let values = random.floats(rows * keyWidth)
        let expected = reference(queries, keys, values, window: window)
        for (storage, bound) in [(GroupedKVCache.Storage.float32, 1e-5), (.float16, 2e-3)] {
            let cache = GroupedKVCache(
                keyHeads: keyHeads, headDim: headDim, window: window, slack: 30, limit: 400, storage: storage)
            var all: [Float] = []
            for start in stride(from: 0, to: rows, by: chunk) {
                let count = min(chunk, rows - start)
                func part(_ values: [Float], _ width: Int) -> Tensor<Float> {
                    Tensor(Array(values[start * width..<(start + count) * width]), shape: count, width)
                }
                cache.append(keys: part(keys, keyWidth), values: part(values, keyWidth), rows: count)
                let output = Tensor<Float>(count, width, filledWith: 9)
                cache.attend(part(queries, width), rows: count, position: start, into: output, pool: .single)
                all += output.array
            }
            #expect(difference(Tensor(all, shape: rows, width), expected) < bound)
        }
    }

    /// One position alone has weight 1, so the output is the stored value.
    @Test func halvesAreRoundedToTheNearest() {
        var random = SplitMix64(seed: 4)
        let special: [Float] = [
            0, -0.0, 1, 65_504, -65_504, 6.1e-5, 6e-8, 2.9e-8, 3e-8, 1e-20, 2_049, 2_051, 0.333_333, -1e-7, 6.097_5e-5
        ]
        let values =
            special
            + (0..<4_001).map { _ in
                Float.random(in: -2..<2, using: &random) * powf(2, Float.random(in: -26...14, using: &random))
            }
        let cache = GroupedKVCache(
            keyHeads: values.count / 16, headDim: 16, window: nil, slack: 1, limit: 4, storage: .float16)
        let row = Tensor(values, shape: 1, values.count)
        cache.append(keys: Tensor(1, values.count, filledWith: 0), values: row, rows: 1)
        let output = Tensor<Float>(1, values.count, filledWith: 0)
        cache.attend(row, rows: 1, position: 0, into: output, pool: .single)
        #expect(output.array == values.map { Float(Float16($0)) })
    }

    @Test func theSlackCanBeTakenBackAndNoMore() {
        let cache = GroupedKVCache(keyHeads: 1, headDim: 4, window: 8, slack: 10, limit: 100, storage: .float32)
        let row = Tensor<Float>(10, 4, filledWith: 1)
        for _ in 0..<5 { cache.append(keys: row, values: row, rows: 10) }
        #expect(cache.count == 50 && cache.lowestCount == 50 - 18 + 7)
        cache.truncate(to: 40)
        #expect(cache.lowestCount == 39)
        cache.truncate(to: 0)
        #expect(cache.lowestCount == 0)
    }
}
