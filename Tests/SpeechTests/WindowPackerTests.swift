import Speech
import TestSupport
import Testing

struct WindowPackerTests {
    @Test func joinsUtterancesThatAreClose() {
        var packer = WindowPacker(maxSamples: 100, maxGapSamples: 10)
        let result1 = packer.add(0..<30)
        #expect(result1 == nil)
        let result2 = packer.add(35..<60)
        #expect(result2 == nil)
        let result3 = packer.advance(to: 70)
        #expect(result3 == nil)
        let result4 = packer.advance(to: 71)
        #expect(result4 == 0..<60)
        let result5 = packer.finish()
        #expect(result5 == nil)
    }

    @Test func opensANewWindowWhenFullOrAfterALongGap() {
        var packer = WindowPacker(maxSamples: 100, maxGapSamples: 10)
        let result6 = packer.add(0..<60)
        #expect(result6 == nil)
        let result7 = packer.add(62..<110)
        #expect(result7 == 0..<60)
        let result8 = packer.add(150..<160)
        #expect(result8 == 62..<110)
        let result9 = packer.finish()
        #expect(result9 == 150..<160)
    }

    @Test(arguments: 0..<20) func losesAndDoublesNothing(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var packer = WindowPacker(maxSamples: 300, maxGapSamples: 40)
        var (utterances, windows, position) = ([Range<Int>](), [Range<Int>](), 0)
        for _ in 0..<60 {
            position += Int.random(in: 0...80, using: &random)
            if let closed = packer.advance(to: position) { windows.append(closed) }
            let utterance = position..<position + Int.random(in: 1...300, using: &random)
            if let closed = packer.add(utterance) { windows.append(closed) }
            utterances.append(utterance)
            position = utterance.upperBound
        }
        if let last = packer.finish() { windows.append(last) }
        for utterance in utterances {
            #expect(windows.filter { $0.overlaps(utterance) }.count == 1)
            #expect(windows.contains { $0.lowerBound <= utterance.lowerBound && $0.upperBound >= utterance.upperBound })
        }
        #expect(windows.allSatisfy { $0.count <= 300 })
        #expect(zip(windows, windows.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
    }
}
