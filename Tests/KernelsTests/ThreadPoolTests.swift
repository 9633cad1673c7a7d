import Kernels
import Synchronization
import Testing

private final class Total: Sendable {
    let value = Atomic<Int>(0)
}

struct ThreadPoolTests {
    @Test(arguments: [1, 2, 3, 8], [0, 1, 2, 7, 1_000, 70_000])
    func everyTaskRunsOnce(threads: Int, tasks: Int) {
        let pool = ThreadPool(threads: threads)
        let counts = Tensor<Int>(max(tasks, 1), filledWith: 0)
        for _ in 0..<3 { pool.run(tasks) { counts[0, $0] += 1 } }
        #expect(counts.array.prefix(tasks).allSatisfy { $0 == 3 })
    }

    @Test func manyShortJobsInARowAllFinish() {
        let pool = ThreadPool(threads: 3)
        let total = Total()
        for _ in 0..<20_000 { pool.run(4) { total.value.add($0, ordering: .relaxed) } }
        #expect(total.value.load(ordering: .relaxed) == 20_000 * 6)
    }

    @Test func callersTakeTurns() async {
        let pool = ThreadPool(threads: 2)
        let total = Total()
        await withDiscardingTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<500 { pool.run(5) { _ in total.value.add(1, ordering: .relaxed) } }
                }
            }
        }
        #expect(total.value.load(ordering: .relaxed) == 4 * 500 * 5)
    }

    @Test func poolsComeAndGo() {
        for threads in 1...40 { ThreadPool(threads: threads % 4 + 1).run(3) { _ in } }
    }
}
