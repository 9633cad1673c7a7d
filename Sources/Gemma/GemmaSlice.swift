/// A smaller model inside a larger one (Devvrit et al. 2023, MatFormer): some layers, and the first rows of each
/// feed-forward block.
package struct GemmaSlice: Sendable, Equatable {
    /// Kept layers by their number in the checkpoint, ascending.
    package var layers: [Int]
    /// Feed-forward width of each kept layer.
    package var feedForward: [Int]

    package init(layers: [Int], feedForward: [Int]) {
        (self.layers, self.feedForward) = (layers, feedForward)
    }

    /// E4B as E2B: without layers 20 to 24, 8192 wide everywhere.
    package static let e2b = GemmaSlice(
        layers: Array(0..<20) + Array(25..<35), feedForward: Array(repeating: 8192, count: 30))
}

extension GemmaSlice {
    /// Reads `e2b`, or layers with their widths: `0-9@16384,10-19@8192,25-34`; without a width a layer keeps its own.
    /// - Throws: `GemmaError.badSlice`.
    package init(_ text: String, of config: GemmaTextConfig) throws(GemmaError) {
        if text == "e2b" {
            self = .e2b
            return
        }
        func bad() -> GemmaError {
            .badSlice(reason: "'\(text)' is neither 'e2b' nor layers such as '0-19@8192,25-34@8192'")
        }
        self.init(layers: [], feedForward: [])
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "@", omittingEmptySubsequences: false)
            let ends = sides[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(sides.count), (1...2).contains(ends.count), let first = ends[0],
                let last = ends[ends.count - 1], first >= 0, first <= last, last < config.layers.count
            else { throw bad() }
            for layer in first...last {
                guard let width = sides.count == 1 ? config.layers[layer].feedForward : Int(sides[1]) else {
                    throw bad()
                }
                layers.append(layer)
                feedForward.append(width)
            }
        }
    }
}

extension GemmaTextConfig {
    /// The sub-model of a whole one. A layer keeps its type, sparsity and partner; the cut of its activation is taken over the entries it keeps.
    /// - Throws: `GemmaError.badSlice`.
    package func sliced(_ slice: GemmaSlice) throws(GemmaError) -> GemmaTextConfig {
        guard storedLayers == layers.count else { throw .badSlice(reason: "the model is one already") }
        guard !slice.layers.isEmpty, slice.feedForward.count == slice.layers.count else {
            throw .badSlice(reason: "\(slice.feedForward.count) widths for \(slice.layers.count) layers")
        }
        guard slice.layers.allSatisfy(layers.indices.contains),
            zip(slice.layers, slice.layers.dropFirst()).allSatisfy(<)
        else { throw .badSlice(reason: "layers \(slice.layers) are not ascending within 0...\(layers.count - 1)") }
        var result = self
        result.layers = []
        for (number, width) in zip(slice.layers, slice.feedForward) {
            var layer = layers[number]
            guard (1...layer.feedForward).contains(width) else {
                throw .badSlice(reason: "layer \(number) is \(layer.feedForward) wide, not \(width)")
            }
            guard let partner = slice.layers.firstIndex(of: layer.keyValueLayer) else {
                throw .badSlice(
                    reason: "layer \(number) reads the keys and values of layer \(layer.keyValueLayer), which must stay"
                )
            }
            layer.feedForward = width
            layer.keyValueLayer = partner
            result.layers.append(layer)
        }
        return result
    }
}
