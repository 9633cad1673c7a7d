import Foundation
import Gemma
import Kernels
import Layers
import Testing
import Tokenizers

/// Files of our own, made of folders in every form that models are published in.
struct QuantizedFileTests {
    private static let ids = [2] + (0..<40).map { 11 + $0 * 7 % 290 }

    static func logits(_ weights: GemmaTextWeights) throws -> [Float] {
        let logits = try lastLogits(ids, decoder: GemmaDecoder(weights: weights, pool: .single, blockRows: 16))
        #expect(logits.allSatisfy(\.isFinite) && Set(logits).count > 100)
        return logits
    }

    @discardableResult
    static func quantize(
        _ model: GemmaModel, _ format: QuantizedFormat, in folder: TemporaryFolder, slice: GemmaSlice? = nil,
        name: String = "model.gguf", threads: Int = 1
    ) throws -> GemmaModel {
        let path = folder.file(name)
        try GemmaQuantizer(model, to: format, slice: slice).write(to: path, pool: ThreadPool(threads: threads))
        return try GemmaModel(path)
    }

    @Test(arguments: ModelFolder.forms.indices, [QuantizedFormat.q4, .q8])
    func aFileIsWhatIsQuantizedInMemory(form: Int, format: QuantizedFormat) throws {
        let source = try ModelFolder(SampleModel(), ModelFolder.forms[form])
        let model = try GemmaModel(source.path)
        let file = try Self.quantize(model, format, in: source.folder)
        #expect(file.form == .container && file.config == model.config && file.storedFormats == [format])
        let expected = try Self.logits(model.textWeights(format: format))
        #expect(try Self.logits(file.textWeights()) == expected)
        #expect(try Self.logits(file.textWeights(format: format)) == expected)
        #expect(try worst(Self.logits(model.textWeights()), expected) > 0)
        for text in SampleTokenizer.texts {
            for specials in [true, false] {
                #expect(
                    try file.tokenizer().encode(text, specials: specials)
                        == model.tokenizer().encode(text, specials: specials))
            }
        }
    }

    @Test(arguments: [QuantizedFormat.q4, .q8]) func threadsChangeNoByte(format: QuantizedFormat) throws {
        let source = try ModelFolder()
        let model = try GemmaModel(source.path)
        try Self.quantize(model, format, in: source.folder, name: "one.gguf", threads: 1)
        try Self.quantize(model, format, in: source.folder, name: "three.gguf", threads: 3)
        #expect(
            try Data(contentsOf: source.folder.url("one.gguf")) == Data(contentsOf: source.folder.url("three.gguf")))
    }

    /// The head's dead rows are in the file too.
    @Test func theHeadCanHaveAllRows() throws {
        let source = try ModelFolder()
        let model = try GemmaModel(source.path)
        let file = try Self.quantize(model, .q4, in: source.folder)
        let all = try Self.logits(file.textWeights(shortcuts: []))
        #expect(all.count == SampleModel.vocabulary)
        #expect(try all == Self.logits(model.textWeights(format: .q4, shortcuts: [])))
        #expect(try Array(all.prefix(SampleModel.textVocabulary)) == Self.logits(file.textWeights()))
    }

    /// A head that finds the largest logits only is one of the file's shortcuts.
    @Test(arguments: [1, 5]) func aSketchChoosesTheSameTokens(rows: Int) throws {
        let source = try ModelFolder()
        let file = try Self.quantize(GemmaModel(source.path), .q4, in: source.folder)
        func chosen(_ shortcuts: GemmaShortcuts) throws -> (ids: [Int], logits: [[Float]]) {
            let decoder = GemmaDecoder(weights: try file.textWeights(), pool: .single, shortcuts: shortcuts)
            let state = makeState(decoder)
            var (ids, logits, sampler): ([Int], [[Float]], _) = ([], [], Sampler.greedy)
            var prompt = Array(Self.ids.prefix(20))
            while ids.count < 60 {
                try decoder.prefill(GemmaPrompt(prompt), state: state, logitRows: rows, logits: .largest)
                for row in 0..<rows { ids.append(sampler.next(state.textLogits(row))) }
                logits.append((0..<rows).map { state.textLogits($0)[ids[ids.count - rows + $0]] })
                // Not the answer, which would soon go round in a circle.
                prompt = (0..<rows).map { (53 * ids.count + 37 * $0) % SampleModel.textVocabulary }
            }
            return (ids, logits)
        }
        let (all, some) = (try chosen(.all.subtracting(.sketchedHead)), try chosen(.all))
        #expect(all.ids == some.ids && all.logits == some.logits)
        #expect(Set(all.ids).count > 3)
    }

    @Test func aFileHasOneFormatAndIsNotQuantizedTwice() throws {
        let source = try ModelFolder()
        let file = try Self.quantize(GemmaModel(source.path), .q4, in: source.folder)
        #expect(throws: GemmaError.self) { try GemmaQuantizer(file, to: .q4) }
        // Its encoders are in 8 bits, its text model is not.
        for other in [QuantizedFormat.q8, .float32] {
            #expect(throws: GemmaError.self) { try file.textWeights(format: other) }
        }
    }

    static let slices = [
        GemmaSlice(layers: [0, 1, 2, 3, 4, 5], feedForward: [256, 512, 512, 256, 512, 256]),
        GemmaSlice(layers: [1, 2, 3, 5], feedForward: [768, 256, 512, 512]),
        GemmaSlice(layers: [0, 2, 3], feedForward: [32, 256, 768])  // sparse rows can be cut anywhere
    ]

    @Test(arguments: slices.indices, [QuantizedFormat.q4, .q8])
    func aSliceIsTheSameByFileAndWhenLoaded(index: Int, format: QuantizedFormat) throws {
        let slice = Self.slices[index]
        let source = try ModelFolder(SampleModel(), ModelFolder.forms[index % 2])
        let model = try GemmaModel(source.path)
        let expected = try Self.logits(model.textWeights(format: format, slice: slice))
        let small = try Self.quantize(model, format, in: source.folder, slice: slice, name: "small.gguf")
        #expect(try Self.logits(small.textWeights()) == expected)
        #expect(small.config.text.storedLayers == slice.layers.count)
        let whole = try Self.quantize(model, format, in: source.folder)
        #expect(try Self.logits(whole.textWeights(slice: slice)) == expected)
        #expect(small.byteCount < whole.byteCount)
        #expect(try Self.logits(whole.textWeights()) != expected)
    }

    /// A slice that no quantised file can be cut to, and one that is no model.
    @Test(arguments: [
        GemmaSlice(layers: [2], feedForward: [300]), GemmaSlice(layers: [3], feedForward: [32]),
        GemmaSlice(layers: [0, 4], feedForward: [512, 512]), GemmaSlice(layers: [2], feedForward: [513])
    ])
    func aSliceThatCannotBeCutIsRefused(slice: GemmaSlice) throws {
        let source = try ModelFolder()
        let file = try Self.quantize(GemmaModel(source.path), .q4, in: source.folder)
        let error = #expect(throws: GemmaError.self) { try file.textWeights(slice: slice) }
        guard case .badSlice? = error else {
            Issue.record("\(error as Any)")
            return
        }
    }

    /// Sub-models whose rule of sharing no configuration can tell.
    @Test func aSliceThatIsNoModelOfItsOwnIsNotWritten() throws {
        let source = try ModelFolder()
        let slice = GemmaSlice(layers: [0, 1, 2, 3], feedForward: [512, 768, 512, 768])
        let whole = try GemmaModel(source.path)
        _ = try GemmaQuantizer(whole, to: .q4, slice: slice)
        // Layer 4 reads layer 3; with 3 and 5 gone, nothing is shared. That can be told; 5 before its partner cannot.
        #expect(throws: GemmaError.self) {
            try GemmaQuantizer(whole, to: .q4, slice: GemmaSlice(layers: [0, 5], feedForward: [512, 512]))
        }
    }
}
