import Gemma
import Kernels
import TestSupport
import Testing

/// What is left out, how tokens are cut and who computes changes no bit.
struct ShortcutTests {
    @Test(arguments: HashModel.all, [GemmaShortcuts.sharedLayers, .sparseRows, [.sharedLayers, .sparseRows]])
    func leavingWorkOutChangesNothing(model: HashModel, shortcuts: GemmaShortcuts) throws {
        let ids = model.ids(90)
        let decoder = model.decoder(blockRows: 32, shortcuts: [])
        let plain = makeState(decoder)
        let expected = try lastLogits(ids, decoder: decoder, state: plain)
        let following = try lastLogits([9, 8], decoder: decoder, state: plain)
        decoder.shortcuts = shortcuts
        let state = makeState(decoder)
        #expect(try lastLogits(ids, decoder: decoder, state: state) == expected)
        #expect(try lastLogits([9, 8], decoder: decoder, state: state) == following)
    }

    @Test(arguments: HashModel.all, [QuantizedFormat.q4, .q8])
    func norDoesItInFewerBits(model: HashModel, format: QuantizedFormat) throws {
        let (ids, weights) = (model.ids(90), try model.quantized(format))
        let plain = GemmaDecoder(weights: weights, pool: .single, blockRows: 90, shortcuts: [])
        let expected = try lastLogits(ids, decoder: plain)
        #expect(try worst(expected, lastLogits(ids, decoder: model.decoder())) > 0)
        for (blockRows, threads) in [(1, 1), (7, 2), (32, 3), (90, 2)] {
            let decoder = GemmaDecoder(weights: weights, pool: ThreadPool(threads: threads), blockRows: blockRows)
            #expect(try lastLogits(ids, decoder: decoder) == expected)
        }
    }

    @Test(arguments: HashModel.all) func theHeadLacksOnlyIdsOfPicturesAndSounds(model: HashModel) throws {
        let ids = model.ids(10)
        let live = try lastLogits(ids, decoder: model.decoder())
        let all = try lastLogits(ids, decoder: model.decoder(shortcuts: []))
        #expect(live.count == model.config.textVocabulary && all.count == model.config.vocabulary)
        #expect(Array(all.prefix(live.count)) == live)
    }

    @Test(arguments: HashModel.all, [1, 5, 31, 90, 128])
    func blocksAndThreadsChangeNothing(model: HashModel, blockRows: Int) throws {
        let ids = model.ids(90)
        let expected = try lastLogits(ids, decoder: model.decoder(blockRows: 90))
        for threads in 1...3 {
            #expect(try lastLogits(ids, decoder: model.decoder(blockRows: blockRows, threads: threads)) == expected)
        }
    }

    @Test(arguments: HashModel.all, [1, 2, 7, 31]) func onlyTheLastRowsAreMade(model: HashModel, wanted: Int) throws {
        let ids = model.ids(70)
        let all = try feed(ids, chunk: 70, decoder: model.decoder(blockRows: 70))
        let decoder = model.decoder(blockRows: 32)
        let state = makeState(decoder)
        let logits = try decoder.prefill(GemmaPrompt(ids), state: state, logitRows: wanted)
        #expect(state.logitRows == wanted)
        for row in 0..<wanted { #expect(logits.columnsOfRow(row) == all[70 - wanted + row]) }
    }

    @Test(arguments: HashModel.all) func tokensWithoutLogitsLeaveTheSameKeys(model: HashModel) throws {
        let ids = model.ids(50)
        let decoder = model.decoder(blockRows: 16)
        let expected = try lastLogits(ids, decoder: decoder)
        let state = makeState(decoder)
        try decoder.prefill(GemmaPrompt(Array(ids[..<20])), state: state, logitRows: 0)
        try decoder.prefill(GemmaPrompt(Array(ids[20..<49])), state: state, logitRows: 0)
        #expect(state.logitRows == 0 && state.count == 49)
        #expect(try lastLogits([ids[49]], decoder: decoder, state: state) == expected)
    }

    @Test(arguments: HashModel.all) func givenEmbeddingsEqualLookedUpOnes(model: HashModel) throws {
        let ids = model.ids(20)
        let decoder = model.decoder()
        let given = decoder.embed([ids[7]])
        var prompt = GemmaPrompt(Array(ids[..<7]))
        prompt.append(given, id: ids[7])
        prompt.append(Array(ids[8...]))
        #expect(
            try decoder.prefill(prompt, state: makeState(decoder)).columnsOfRow(0) == lastLogits(ids, decoder: decoder))
    }

    /// Every id beyond text takes the first row of the per-layer table.
    @Test func softTokensCountAsPadding() throws {
        let model = HashModel.fives
        let decoder = model.decoder()
        let rows = decoder.embed(model.ids(3))
        func run(_ id: Int) throws -> [Float] {
            var prompt = GemmaPrompt([2])
            prompt.append(rows, id: id)
            prompt.append([7])
            return try decoder.prefill(prompt, state: makeState(decoder)).columnsOfRow(0)
        }
        #expect(try run(97) == run(0))
        #expect(try run(111) == run(0))
        #expect(try run(5) != run(0))
    }
}
