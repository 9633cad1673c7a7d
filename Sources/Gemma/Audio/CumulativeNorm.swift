import Kernels

/// Group norm over all bins and channels whose mean and deviation are those of all rows so far, then ReLU.
///
/// The sums over the past are its only state: in double, as a float would drift in a long stream.
struct CumulativeNorm {
    private var count = 0.0
    private var sum = 0.0
    /// Each row's squares are about the mean of its own time.
    private var squares = 0.0

    /// - Parameters:
    ///   - row: [bins, channels], in place.
    ///   - scale: [channels].
    mutating func apply(to row: Tensor<Float>, scale: [Float], epsilon: Double) {
        var values = row.mutableSpan
        var total = 0.0
        for index in values.indices { total += Double(values[index]) }
        count += Double(values.count)
        sum += total
        let mean = sum / count
        var spread = 0.0
        for index in values.indices {
            let distance = Double(values[index]) - mean
            spread += distance * distance
        }
        squares += spread
        let factor = 1 / (squares / count + epsilon).squareRoot()
        for bin in 0..<row.rows {
            for channel in scale.indices {
                let index = bin * scale.count + channel
                values[index] = max(Float((Double(values[index]) - mean) * factor) * scale[channel], 0)
            }
        }
    }
}
