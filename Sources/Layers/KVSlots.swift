import Kernels

/// [G, capacity, D] of keys and of values, as floats or halves: the memory under a `GroupedKVCache`.
struct KVSlots {
    private enum Memory {
        case floats(keys: Tensor<Float>, values: Tensor<Float>)
        case halves(keys: Tensor<UInt16>, values: Tensor<UInt16>)
    }

    let keyHeads, headDim: Int
    let capacity: Int
    let storage: GroupedKVCache.Storage
    private let memory: Memory

    init(keyHeads: Int, headDim: Int, capacity: Int, storage: GroupedKVCache.Storage) {
        (self.keyHeads, self.headDim, self.capacity, self.storage) = (keyHeads, headDim, capacity, storage)
        func make<Number>(_ zero: Number) -> Tensor<Number> { Tensor(keyHeads, capacity, headDim, filledWith: zero) }
        memory =
            switch storage {
            case .float32: .floats(keys: make(0), values: make(0))
            case .float16: .halves(keys: make(0), values: make(0))
            }
    }

    /// The same slots and empty ones behind them.
    func grown(to capacity: Int) -> KVSlots {
        let larger = KVSlots(keyHeads: keyHeads, headDim: headDim, capacity: capacity, storage: storage)
        for head in 0..<keyHeads {
            let (from, to, count) = (offset(head, 0), larger.offset(head, 0), self.capacity * headDim)
            switch (memory, larger.memory) {
            case (.floats(let keys, let values), .floats(let newKeys, let newValues)):
                newKeys.copy(keys, from: from, count: count, to: to)
                newValues.copy(values, from: from, count: count, to: to)
            case (.halves(let keys, let values), .halves(let newKeys, let newValues)):
                newKeys.copy(keys, from: from, count: count, to: to)
                newValues.copy(values, from: from, count: count, to: to)
            default: preconditionFailure("slots change their storage")
            }
        }
        return larger
    }

    /// Writes row `row` of keys and values [_, G·D] to a slot.
    func write(keys: Tensor<Float>, values: Tensor<Float>, row: Int, slot: Int) {
        for head in 0..<keyHeads {
            let (from, to) = (row * keys.columns + head * headDim, offset(head, slot))
            switch memory {
            case .floats(let allKeys, let allValues):
                allKeys.copy(keys, from: from, count: headDim, to: to)
                allValues.copy(values, from: from, count: headDim, to: to)
            case .halves(let allKeys, let allValues):
                narrow(keys, from: from, into: allKeys, at: to)
                narrow(values, from: from, into: allValues, at: to)
            }
        }
    }

    /// Reads these slots where they lie.
    var attention: GroupedAttention {
        switch memory {
        case .floats(let keys, let values): GroupedAttention(keys: keys, values: values)
        case .halves(let keys, let values): GroupedAttention(halfKeys: keys, halfValues: values)
        }
    }

    private func narrow(_ source: Tensor<Float>, from: Int, into halves: Tensor<UInt16>, at start: Int) {
        var target = halves.mutableSpan(of: start..<start + headDim)
        convertToFloat16(source.span.extracting(from..<from + headDim), into: &target)
    }

    private func offset(_ head: Int, _ slot: Int) -> Int { (head * capacity + slot) * headDim }
}
