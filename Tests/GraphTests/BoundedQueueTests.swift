import TestSupport
import Testing

@testable import Graph

struct BoundedQueueTests {
    @Test(arguments: WhenFull.allCases, 0..<10 as Range<UInt64>)
    func behavesAsAListWithALimit(whenFull: WhenFull, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queue = BoundedQueue<Int>(QueuePolicy(capacity: Int.random(in: 1...5, using: &random), whenFull: whenFull))
        var (model, dropped, highWater) = ([Int](), 0, 0)
        for value in 0..<300 {
            if Bool.random(using: &random) {
                let isFull = model.count >= queue.policy.capacity
                #expect(queue.holdsUp == (isFull && whenFull == .wait))
                if isFull && whenFull == .dropOldest { model.removeFirst() }
                if !isFull || whenFull != .dropNewest { model.append(value) }
                if isFull && whenFull != .wait { dropped += 1 }
                queue.push(value)
            } else {
                #expect(queue.pop() == (model.isEmpty ? nil : model.removeFirst()))
            }
            highWater = max(highWater, model.count)
            #expect(queue.count == model.count && queue.first == model.first)
        }
        #expect(queue.dropped == dropped && queue.highWater == highWater)
    }
}
