import Gemma
import Kernels
import Layers
import TestSupport
import Testing

/// Conversations: trials taken back, turns with others, limits.
struct StateTests {
    @Test(arguments: HashModel.all) func aTrialThatIsTakenBackLeavesNoTrace(model: HashModel) throws {
        let ids = model.ids(100)
        let decoder = model.decoder()
        let straight = makeState(decoder)
        try decoder.prefill(GemmaPrompt(Array(ids[..<60])), state: straight)
        let expected = try lastLogits(Array(ids[60...]), decoder: decoder, state: straight)

        let state = makeState(decoder)
        try decoder.prefill(GemmaPrompt(Array(ids[..<60])), state: state)
        for seed in 1...3 as ClosedRange<UInt64> {
            _ = try greedy(model.ids(150, seed: seed), count: 20, decoder: decoder, state: state)
            state.truncate(to: 60)
        }
        #expect(try lastLogits(Array(ids[60...]), decoder: decoder, state: state) == expected)
    }

    /// The rings of the sliding layers wrap around many times.
    @Test(arguments: HashModel.all, [64, 100, 512]) func aRingOfAnyLengthIsTheSame(model: HashModel, slack: Int) throws
    {
        let ids = model.ids(300)
        let decoder = model.decoder()
        let state = makeState(decoder, slack: slack)
        #expect(try lastLogits(ids, decoder: decoder, state: state) == lastLogits(ids, decoder: decoder))
        #expect(state.count - state.lowestCount >= min(slack, 300))
        guard state.lowestCount > 0 else { return }
        state.truncate(to: state.lowestCount)
        let rest = Array(ids[state.count...])
        #expect(try lastLogits(rest, decoder: decoder, state: state) == lastLogits(ids, decoder: decoder))
        // What was written once stays overwritten, however far the count went back.
        #expect(state.lowestCount >= 300 - slack - 1)
    }

    @Test func lessThanTheRingHoldsIsRefused() async {
        await #expect(processExitsWith: .failure) {
            let model = HashModel.fours
            let decoder = model.decoder()
            let state = makeState(decoder, slack: 64)
            try decoder.prefill(GemmaPrompt(model.ids(200)), state: state)
            state.truncate(to: 100)
        }
    }

    @Test(arguments: HashModel.all) func anEmptiedStateIsANewOne(model: HashModel) throws {
        let decoder = model.decoder()
        let state = makeState(decoder, slack: 64)
        try decoder.prefill(GemmaPrompt(model.ids(300)), state: state)
        state.truncate(to: 0)
        #expect(state.lowestCount == 0)
        let ids = model.ids(40, seed: 2)
        #expect(try lastLogits(ids, decoder: decoder, state: state) == lastLogits(ids, decoder: decoder))
    }

    @Test(arguments: HashModel.all) func halvesAreCloseToFloats(model: HashModel) throws {
        let ids = model.ids(120)
        let decoder = model.decoder()
        let exact = try lastLogits(ids, decoder: decoder)
        let error = worst(try lastLogits(ids, decoder: decoder, state: makeState(decoder, storage: .float16)), exact)
        #expect(error > 0 && error < 0.02)
    }

    /// One decoder, two conversations, a step of each by turns.
    @Test(arguments: HashModel.all) func runsTakeTurns(model: HashModel) throws {
        let decoder = model.decoder(blockRows: 16)
        let (a, b) = (model.ids(50), model.ids(37, seed: 2))
        let expected = (try lastLogits(a, decoder: decoder), try lastLogits(b, decoder: decoder))
        let states = [makeState(decoder), makeState(decoder)]
        let runs = try [
            decoder.begin(GemmaPrompt(a), state: states[0]), decoder.begin(GemmaPrompt(b), state: states[1])
        ]
        while runs.contains(where: { !$0.isFinished }) {
            for run in runs { _ = run.advance() }
        }
        #expect(states[0].logits.columnsOfRow(0) == expected.0)
        #expect(states[1].logits.columnsOfRow(0) == expected.1)
    }

    @Test(arguments: HashModel.all) func aRunGivenUpIsTakenBack(model: HashModel) throws {
        let decoder = model.decoder(blockRows: 16)
        let (ids, state) = (model.ids(30), makeState(decoder))
        try decoder.prefill(GemmaPrompt(Array(ids[..<10])), state: state)
        let run = try decoder.begin(GemmaPrompt(model.ids(40, seed: 3)), state: state)
        for _ in 0..<model.config.layers.count + 5 { _ = run.advance() }
        state.truncate(to: 10)
        #expect(try lastLogits(Array(ids[10...]), decoder: decoder, state: state) == lastLogits(ids, decoder: decoder))
    }

    @Test func tooManyTokensAndIdsWithoutEmbeddingAreErrors() throws {
        let model = HashModel.fives
        let decoder = model.decoder()
        let state = makeState(decoder, positions: 20)
        try decoder.prefill(GemmaPrompt(model.ids(15)), state: state)
        #expect(throws: GemmaError.tooLong(tokens: 6, held: 15, limit: 20)) {
            try decoder.prefill(GemmaPrompt(model.ids(6)), state: state)
        }
        for id in [-1, 96, 112] {
            #expect(throws: GemmaError.badToken(id: id, vocabulary: 96)) {
                try decoder.prefill(GemmaPrompt([5, id]), state: state)
            }
        }
        try decoder.prefill(GemmaPrompt(model.ids(5)), state: state)
        #expect(state.count == 20)
    }
}
