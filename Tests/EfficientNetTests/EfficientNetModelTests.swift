import EfficientNet
import Kernels
import Signal
import TestSupport
import Testing
import Weights

struct EfficientNetModelTests {
    static let sets = InstructionSet.allCases.filter(\.isSupported)

    @Test(arguments: Tiny.files, sets)
    func aRandomNetworkAnswersAsTheReference(file: String, isa: InstructionSet) throws {
        let expected = try Golden.text("tiny.txt").split(separator: " ").map { Float($0.filter { $0 != "\n" })! }
        let found = try Tiny.model(file, on: isa).probabilities(of: Tiny.picture)
        #expect(found.count == 10 && abs(found.reduce(0, +) - 1) < 1e-6)
        for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 1e-6) }
    }

    @Test("Eight-bit weights stay near", arguments: sets)
    func int8StaysNear(isa: InstructionSet) throws {
        let exact = try Tiny.model().probabilities(of: Tiny.picture)
        let found = try Tiny.model(precision: .int8, on: isa).probabilities(of: Tiny.picture)
        for (found, exact) in zip(found, exact) { #expect(abs(found - exact) < 0.02) }
    }

    @Test(arguments: [2, 3, 5])
    func theNumberOfThreadsChangesNoBit(threads: Int) throws {
        let model = try Tiny.model()
        let alone = model.probabilities(of: Tiny.picture)
        #expect(model.probabilities(of: Tiny.picture, pool: ThreadPool(threads: threads)) == alone)
    }

    @Test func aRunThatIsGivenUpLeavesNoTrace() throws {
        let model = try Tiny.model()
        let run = EfficientNetRun(model, pool: .single)
        let black = Picture(width: 33, height: 33, channels: 3, pixels: [UInt8](repeating: 0, count: 33 * 33 * 3))
        run.begin(model.pixels(from: black))
        _ = run.step()
        _ = run.step()
        run.begin(model.pixels(from: Tiny.picture))
        var steps = 1
        while !run.step() { steps += 1 }
        #expect(run.probabilities == model.probabilities(of: Tiny.picture))
        #expect(steps == Tiny.architecture.blocks.count + 2)  // the stem, the blocks, the head
        let finished = run.step()
        #expect(finished)
    }

    @Test func twoRunsOfOneModelDoNotMeet() throws {
        let model = try Tiny.model()
        let other = Picture(width: 50, height: 40, channels: 1, pixels: (0..<2_000).map { UInt8($0 % 199) })
        let (first, second) = (EfficientNetRun(model, pool: .single), EfficientNetRun(model, pool: .single))
        first.begin(model.pixels(from: Tiny.picture))
        second.begin(model.pixels(from: other))
        var done = (false, false)
        while !done.0 || !done.1 { done = (first.step(), second.step()) }
        #expect(first.probabilities == model.probabilities(of: Tiny.picture))
        #expect(second.probabilities == model.probabilities(of: other))
    }

    @Test func aNetworkOfOtherShapesIsRefused() throws {
        #expect(throws: EfficientNetError.self) { try EfficientNetModel(Tiny.checkpoint()) }
        var blocks = Tiny.architecture.blocks
        blocks[1] = .init(inputs: 16, outputs: 8, hidden: 80, kernel: 3, stride: 2)
        let wrong = EfficientNetArchitecture(inputSize: 33, stem: 8, blocks: blocks, head: 128, classes: 10)
        #expect(throws: WeightsError.self) { try EfficientNetModel(Tiny.checkpoint(), architecture: wrong) }
        let deeper = EfficientNetArchitecture(
            inputSize: 33, stem: 8, blocks: blocks + [blocks[0]], head: 128, classes: 10)
        #expect(throws: WeightsError.self) { try EfficientNetModel(Tiny.checkpoint(), architecture: deeper) }
    }

    @Test func theFiveVariantsHaveTheirSizes() {
        #expect(EfficientNetArchitecture.lite.map(\.inputSize) == [224, 240, 260, 280, 300])
        #expect(EfficientNetArchitecture.lite.map(\.blocks.count) == [16, 21, 21, 24, 30])
        #expect(EfficientNetArchitecture.lite.map { $0.blocks.last?.outputs } == [320, 320, 352, 384, 448])
        #expect(EfficientNetArchitecture.lite[2].blocks.map(\.outputs).prefix(5) == [16, 24, 24, 24, 48])
    }
}
