import Gemma
import Kernels
import TestSupport
import Testing

/// transformers' results on weights that need no file; bounds are those of `models verify`.
struct GoldenTests {
    private static let stride = 37

    private func sample(_ values: [Float]) -> [Float] {
        Swift.stride(from: 0, to: values.count, by: Self.stride).map { values[$0] }
    }

    @Test(arguments: HashModel.all) func everyStageEqualsTheReference(model: HashModel) throws {
        let golden = try model.golden()
        let ids = golden["ids"].integers
        let decoder = model.decoder(blockRows: ids.count, shortcuts: [.sharedLayers, .sparseRows])
        let trace = try decoder.trace(GemmaPrompt(ids))
        #expect(worst(sample(trace.perLayer.array), golden["per_layer"].floats) < 1e-5)
        let (count, width) = (ids.count, model.config.width)
        let seen = trace.layers.map { streams -> [Float] in
            // Of a long prompt the goldens have the last 16 tokens.
            let tokens = count < 100 ? 0..<count : count - 16..<count
            return sample(
                (0..<4).flatMap {
                    streams.array[($0 * count + tokens.lowerBound) * width..<($0 * count + count) * width]
                })
        }
        #expect(worst(Array(seen.joined()), golden["layers"].floats) < 1e-3)
        #expect(worst(sample(trace.hidden.array), golden["hidden"].floats) < 1e-3)
        #expect(worst(sample(trace.logits.array), golden["logits"].floats) < 5e-4)
        #expect(worst(trace.logits.columnsOfRow(count - 1), golden["last"].floats) < 5e-4)
    }

    @Test(arguments: HashModel.all, [1, 7, 64]) func logitsDoNotDependOnTheCut(model: HashModel, chunk: Int) throws {
        let golden = try model.golden()
        let decoder = model.decoder(shortcuts: [.sharedLayers, .sparseRows])
        let logits = try feed(golden["ids"].integers, chunk: chunk, decoder: decoder)
        #expect(worst(sample(Array(logits.joined())), golden["logits"].floats) < 5e-4)
    }

    @Test(arguments: HashModel.all, [GemmaShortcuts.all, []])
    func greedyTokensAreTheReferences(model: HashModel, shortcuts: GemmaShortcuts) throws {
        let golden = try model.golden()
        let decoder = model.decoder(shortcuts: shortcuts)
        let tokens = try greedy(golden["ids"].integers, count: 12, decoder: decoder, state: makeState(decoder))
        #expect(tokens == golden["tokens"].integers)
    }

    @Test(arguments: [1, 7, 64]) func aSliceEqualsTheModelCutOutOfTheCheckpoint(chunk: Int) throws {
        let golden = try HashModel.fives.golden()
        let model = HashModel.fives
        let weights = try GemmaTextWeights(
            config: try model.config.sliced(HashModel.slice), source: HashSource(width: model.config.width),
            shortcuts: [.sparseRows])
        let decoder = GemmaDecoder(weights: weights, pool: .single, blockRows: 64)
        let logits = try feed(golden["ids"].integers, chunk: chunk, decoder: decoder)
        #expect(worst(sample(Array(logits.joined())), golden["small.logits"].floats) < 5e-4)
        #expect(worst(try lastLogits(golden["ids"].integers, decoder: decoder), golden["small.last"].floats) < 5e-4)
    }
}
