import Kernels

/// [G, capacity, D] of keys and of values, as floats or halves: the memory under a `GroupedKVCache`.
struct KVSlots {
    enum Side { case keys, values }

    /// Slots that are widened together: 32 KB for heads of 256, the size of an L1 cache.
    static let chunk = 32

    let keyHeads, headDim: Int
    private(set) var capacity: Int
    let storage: GroupedKVCache.Storage
    private var floats: [Side: Tensor<Float>] = [:]
    private var halves: [Side: Tensor<UInt16>] = [:]

    init(keyHeads: Int, headDim: Int, capacity: Int, storage: GroupedKVCache.Storage) {
        (self.keyHeads, self.headDim, self.capacity, self.storage) = (keyHeads, headDim, capacity, storage)
        for side in [Side.keys, .values] {
            switch storage {
            case .float32: floats[side] = Tensor(keyHeads, capacity, headDim, filledWith: 0)
            case .float16: halves[side] = Tensor(keyHeads, capacity, headDim, filledWith: 0)
            }
        }
    }

    mutating func grow(to capacity: Int) {
        let larger = KVSlots(keyHeads: keyHeads, headDim: headDim, capacity: capacity, storage: storage)
        for head in 0..<keyHeads {
            let (from, to, count) = (offset(head, 0), larger.offset(head, 0), self.capacity * headDim)
            for (side, old) in floats { larger.floats[side]?.copy(old, from: from, count: count, to: to) }
            for (side, old) in halves { larger.halves[side]?.copy(old, from: from, count: count, to: to) }
        }
        self = larger
    }

    /// Writes row `row` of [_, G·D] to a slot.
    func write(_ side: Side, _ source: Tensor<Float>, row: Int, slot: Int) {
        for head in 0..<keyHeads {
            let (from, to) = (row * source.columns + head * headDim, offset(head, slot))
            if let floats = floats[side] {
                floats.copy(source, from: from, count: headDim, to: to)
            } else if let halves = halves[side] {
                let numbers = source.span.extracting(from..<from + headDim)
                var target = halves.mutableSpan(of: to..<to + headDim)
                for index in numbers.indices { target[index] = narrowToHalf(numbers[index]) }
            }
        }
    }

    /// `count` slots of a head as floats, at most `chunk`: where they lie, or widened into `scratch`.
    func floats(
        _ side: Side, head: Int, slot: Int, count: Int, scratch: Tensor<Float>
    ) -> (tensor: Tensor<Float>, start: Int) {
        let start = offset(head, slot)
        if let floats = floats[side] { return (floats, start) }
        if let halves = halves[side] {
            var target = scratch.mutableSpan(of: 0..<count * headDim)
            convertFloat16(halves.span.extracting(start..<start + count * headDim).bytes, into: &target)
        }
        return (scratch, 0)
    }

    private func offset(_ head: Int, _ slot: Int) -> Int { (head * capacity + slot) * headDim }
}

/// The nearest half, ties to even; beyond the largest half it stays there. No branch, so that loops become vector code.
func narrowToHalf(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    // Re-based by 2^-112 the float's exponent is the half's; what is below the smallest half becomes subnormal alike.
    let bits = (min(value.magnitude, 65_504) * Float(bitPattern: 0x0780_0000)).bitPattern  // 2^(15 − 127)
    return sign | UInt16(truncatingIfNeeded: (bits &+ 0xFFF &+ (bits >> 13 & 1)) >> 13)
}
