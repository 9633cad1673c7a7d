/// The chunkings every streaming test runs; `nil` is the whole stream at once.
let chunkings: [Int?] = [1, 2, 3, 160, 997, nil]

/// `samples` in consecutive pieces of `size`.
func pieces(_ samples: [Float], of size: Int?) -> [[Float]] {
    let size = size ?? max(1, samples.count)
    return stride(from: 0, to: samples.count, by: size).map { Array(samples[$0..<min($0 + size, samples.count)]) }
}
