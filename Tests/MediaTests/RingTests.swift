import Foundation
import Media
import Synchronization
import TestSupport
import Testing

struct RingTests {
    @Test(arguments: [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (1_000, 1_024), (1_024, 1_024), (1_025, 2_048)])
    func `capacity is rounded up to a power of two`(asked: Int, got: Int) {
        #expect(SampleRing(minimumCapacity: asked).capacity == got)
    }

    @Test(arguments: [1, 2, 8, 64], UInt64(0)..<8)
    func `it behaves as a queue that refuses what does not fit`(capacity: Int, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let ring = SampleRing(minimumCapacity: capacity)
        var model: [Float] = []
        var next: Float = 0
        for _ in 0..<2_000 {
            if Bool.random(using: &random) {
                let offered = (0..<Int.random(in: 0...capacity + 3, using: &random)).map { next + Float($0) }
                let fitted = ring.write(offered.span)
                #expect(fitted == min(offered.count, capacity - model.count))
                model += offered.prefix(fitted)
                next += Float(fitted)
            } else {
                let limit = Int.random(in: 0...capacity + 3, using: &random)
                var taken: [Float] = []
                #expect(ring.read(upTo: limit, into: &taken) == taken.count)
                #expect(taken == Array(model.prefix(limit)))
                model.removeFirst(taken.count)
            }
            #expect(ring.count == model.count)
            #expect(ring.room == capacity - model.count)
        }
    }

    @Test func `single elements are peeked and taken in order`() {
        let ring = Ring<Int>(minimumCapacity: 2)
        #expect(ring.peek() == nil && ring.read() == nil)
        #expect(ring.write(7) && ring.write(8) && !ring.write(9))
        #expect(ring.peek() == 7 && ring.read() == 7 && ring.read() == 8 && ring.read() == nil)
    }

    @Test func `nothing is lost, doubled or torn between two threads`() {
        let total = 100_000
        let ring = Ring<Int>(minimumCapacity: 256)
        let producer = Thread {
            var random = SplitMix64(seed: 1)
            var next = 0
            while next < total {
                let count = min(Int.random(in: 1...100, using: &random), total - next)
                let written = ring.write(Array(next..<next + count).span)
                if written == 0 { sched_yield() }
                next += written
            }
        }
        producer.start()
        var received: [Int] = []
        received.reserveCapacity(total)
        while received.count < total {
            if ring.read(upTo: 77, into: &received) == 0 { sched_yield() }
        }
        #expect(received == Array(0..<total))
        #expect(ring.count == 0)
    }
}
