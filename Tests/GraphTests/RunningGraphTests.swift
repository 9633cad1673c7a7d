import Graph
import Media
import TestSupport
import Testing

struct RunningGraphTests {
    private let chain = """
        in: { kind: numbers }
        a: { kind: pass, from: in }
        out: { kind: sink, from: a }
        """

    @Test func valuesArriveInOrderAndTheEndFollowsThem() async throws {
        var kinds = FakeKinds()
        kinds.sources["in"] = NumberSource(numbers: [1, 2, 3])
        kinds.plans["a"] = .init(atFinish: [8, 9])
        #expect(
            try await kinds.run(chain) == [
                "a 1.1", "out 1.1", "a 2.1", "out 2.1", "a 3.1", "out 3.1", "a finish", "out 8.1", "out 9.1",
                "out finish"
            ])
    }

    @Test func aStageWithTwoInputsFinishesWhenBothHaveEnded() async throws {
        var kinds = FakeKinds()
        kinds.sources["left"] = NumberSource(numbers: [1], step: MediaTime(milliseconds: 10))
        kinds.sources["right"] = NumberSource(numbers: [2, 3], step: MediaTime(milliseconds: 20))
        let journal = try await kinds.run(
            """
            right: { kind: numbers }
            left: { kind: numbers }
            out: { kind: sink, from: [left, right] }
            """)
        #expect(journal == ["out 1.1", "out 2.1", "out 3.1", "out finish"])
    }

    @Test func aFastGraphGivesTheSameResultsWhateverTheTiming() async throws {
        var results: Set<[String]> = []
        for seed in 0..<50 as Range<UInt64> {
            var kinds = FakeKinds()
            let dawdle: @Sendable (Int, SourceOutput) async -> Void = { number, _ in
                var random = SplitMix64(seed: seed &* 1_000 &+ UInt64(number))
                for _ in 0..<Int.random(in: 0...6, using: &random) { await Task.yield() }
            }
            kinds.sources["voice"] = NumberSource(
                numbers: Array(1...30), step: MediaTime(milliseconds: 30), before: dawdle)
            kinds.sources["view"] = NumberSource(
                numbers: Array(101...110), step: MediaTime(milliseconds: 100), before: dawdle)
            kinds.plans["slow"] = .init(urgency: .picture, quanta: 4, copies: 2, atFinish: [7, 8])
            kinds.plans["quick"] = .init(urgency: .speech, quanta: 2)
            results.insert(
                try await kinds.run(
                    """
                    voice: { kind: numbers }
                    view: { kind: numbers }
                    quick: { kind: pass, from: voice }
                    slow: { kind: pass, from: [view, voice], queue: { capacity: 1, when_full: drop_oldest } }
                    out: { kind: sink, from: [slow, quick] }
                    """))
        }
        #expect(results.count == 1)
        let (quick, slow) = (30 * 2, 40 * 4)
        let out = 30 + 40 * 2 + 2
        #expect(results.first?.count == quick + slow + out + 3)
    }

    @Test func anUrgentWorkerRunsBetweenTheQuantaOfASlowOne() async throws {
        var kinds = FakeKinds()
        let looking = Latch()
        kinds.sources["camera"] = NumberSource(numbers: [1])
        kinds.sources["microphone"] = NumberSource(numbers: [2]) { _, _ in await looking.wait() }
        // The picture's second quantum lets the sound come, and goes on until it has been seen to arrive.
        let journal = kinds.journal
        kinds.plans["describe"] = .init(urgency: .picture, quanta: 1_000_000) { _, done in
            if done == 1 { looking.open() }
            if journal.all.contains("hear 2.1") { throw Enough() }
        }
        kinds.plans["hear"] = .init(urgency: .speech)
        let graph = try await RunningGraph(
            try kinds.topology(
                """
                camera: { kind: numbers, pace: live }
                microphone: { kind: numbers, pace: live }
                describe: { kind: pass, from: camera }
                hear: { kind: pass, from: microphone }
                out: { kind: sink, from: [describe, hear] }
                """))
        graph.start()
        await #expect(throws: GraphError.self) { try await graph.run() }
        #expect(journal.all.contains("hear 2.1"))
        #expect(!journal.all.contains("describe finish"))
    }

    @Test func aFullLinkThatWaitsHoldsUpItsSender() async throws {
        var kinds = FakeKinds()
        kinds.sources["in"] = NumberSource(numbers: Array(1...200))
        kinds.plans["a"] = .init(urgency: .signal)
        kinds.plans["out"] = .init(urgency: .picture, quanta: 5)
        let graph = try await RunningGraph(
            try kinds.topology(
                """
                in: { kind: numbers, pace: live }
                a: { kind: pass, from: in, queue: { capacity: 3 } }
                out: { kind: sink, from: a, queue: { capacity: 2 } }
                """))
        graph.start()
        try await graph.run()
        let status = await graph.status()
        #expect(status.links.map(\.dropped) == [0, 0])
        #expect(status.links[0].highWater <= 3 && status.links[1].highWater <= 2)
        #expect(status["out"]?.packetsIn == 200)
    }

    @Test(arguments: ["drop_oldest", "drop_newest"])
    func aFullLinkDropsByItsPolicyAndCounts(policy: String) async throws {
        var kinds = FakeKinds()
        kinds.sources["in"] = NumberSource(numbers: [1])
        kinds.plans["burst"] = .init(atFinish: [1, 2, 3, 4, 5, 6])
        kinds.plans["out"] = .init(urgency: .picture)  // so that all six come before it runs again
        let graph = try await RunningGraph(
            try kinds.topology(
                """
                in: { kind: numbers, pace: live }
                burst: { kind: pass, from: in }
                out: { kind: sink, from: burst, queue: { capacity: 2, when_full: \(policy) } }
                """))
        graph.start()
        try await graph.run()
        let heard = kinds.journal.all.filter { $0.hasPrefix("out ") && $0 != "out 1.1" }
        let link = await graph.status().links[1]
        // The note of the source itself is there first, or was shown already: both are orders a live source allows.
        #expect(heard.last == "out finish")
        #expect(link.dropped >= 4 && link.highWater == 2)
        #expect(heard.contains("out 6.1") == (policy == "drop_oldest"))
    }

    @Test func aLiveSourceWhoseReadersDropNeverWaits() async throws {
        var kinds = FakeKinds()
        let sent = Latch()
        kinds.sources["camera"] = NumberSource(numbers: Array(1...100)) { number, _ in
            if number == 100 { sent.open() }
        }
        kinds.plans["out"] = .init(urgency: .picture)
        let graph = try await RunningGraph(
            try kinds.topology(
                """
                camera: { kind: numbers, pace: live }
                out: { kind: sink, from: camera, queue: { capacity: 1, when_full: drop_oldest } }
                """))
        graph.start()
        try await graph.run()
        await sent.wait()
        let status = await graph.status()
        let dropped = status["camera"]!.dropped + status.links[0].dropped
        #expect(dropped + status["out"]!.packetsIn == 100)
        #expect(kinds.journal.all.dropLast().last == "out 100.1")
    }

    @Test func stoppingMidwayLetsWhatWasSentGoThroughAndFinishes() async throws {
        var kinds = FakeKinds()
        let reached = Latch()
        let clock = ManualClock()
        kinds.sources["in"] = NumberSource(numbers: [1, 2, 3]) { number, output in
            if number == 3 {
                reached.open()
                try await output.clock.sleep(until: MediaTime(milliseconds: 1_000))
            }
        }
        kinds.plans["a"] = .init(atFinish: [9])
        let graph = try await RunningGraph(
            try kinds.topology(chain.replacing("numbers", with: "numbers, pace: live")),
            clock: StreamClock(clock))
        async let run: Void = graph.run()
        graph.start()
        await reached.wait()
        await graph.stop()
        try await run
        let journal = kinds.journal.all
        #expect(journal.suffix(3) == ["a finish", "out 9.1", "out finish"])
        #expect(journal.contains("out 2.1") && !journal.contains("out 3.1"))
    }

    @Test func stoppingBeforeTheStartEndsWithNothingSent() async throws {
        var kinds = FakeKinds()
        kinds.sources["in"] = NumberSource(numbers: [1])
        let graph = try await RunningGraph(try kinds.topology(chain))
        graph.requestStop()
        try await graph.run()
        #expect(kinds.journal.all == ["a finish", "out finish"])
    }

    @Test func sourcesHoldUntilTheStart() async throws {
        var kinds = FakeKinds()
        kinds.sources["in"] = NumberSource(numbers: [1])
        let graph = try await RunningGraph(try kinds.topology(chain))
        async let run: Void = graph.run()
        for _ in 0..<100 { await Task.yield() }
        #expect(await graph.status()["in"]?.state == .waiting)
        #expect(kinds.journal.all == [])
        graph.start()
        try await run
        #expect(await graph.status().stages.map(\.state) == [.ended, .ended, .ended])
    }

    @Test func whatIsNotDrainedInTimeIsGivenUpAndNamed() async throws {
        var kinds = FakeKinds()
        let clock = ManualClock()
        let busy = Latch()
        kinds.sources["in"] = NumberSource(numbers: [1])
        kinds.plans["a"] = .init(quanta: .max) { _, _ in busy.open() }
        let graph = try await RunningGraph(try kinds.topology(chain), clock: StreamClock(clock))
        async let expiry: Void = {
            await busy.wait()
            graph.requestStop(within: .seconds(5))
            await clock.waitForSleepers()
            clock.advance(by: .seconds(5))
        }()
        graph.start()
        await #expect { try await graph.run() } throws: { error in
            guard case GraphError.notDrained(let stages) = error else { return false }
            return stages == ["a", "out"]
        }
        await expiry
    }

    @Test func theStatusIsAnsweredBetweenTheQuantaOfEndlessWork() async throws {
        var kinds = FakeKinds()
        let busy = Latch()
        kinds.sources["in"] = NumberSource(numbers: [1])
        kinds.plans["a"] = .init(quanta: .max) { _, done in if done == 100 { busy.open() } }
        let graph = try await RunningGraph(try kinds.topology(chain))
        graph.start()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await graph.run() }
            await busy.wait()
            let status = await graph.status()
            #expect(status["a"]!.quanta >= 100 && status["a"]!.state == .running)
            group.cancelAll()
        }
    }

    @Test func cancellingTheRunEndsItAtOnce() async throws {
        var kinds = FakeKinds()
        kinds.plans["a"] = .init(quanta: .max)
        let busy = Latch()
        kinds.sources["in"] = NumberSource(numbers: [1, 2]) { number, _ in if number == 2 { busy.open() } }
        let graph = try await RunningGraph(try kinds.topology(chain))
        graph.start()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await graph.run() }
            await busy.wait()
            group.cancelAll()
        }
        await graph.waitUntilEnded()
    }

    @Test func aWorkerThatThrowsIsReportedAndTheOthersFinish() async throws {
        var kinds = FakeKinds()
        kinds.sources["in"] = NumberSource(numbers: Array(1...1_000))
        kinds.plans["bad"] = .init { note, _ in if note?.number == 2 { throw Enough() } }
        let failures = Journal()
        let graph = try await RunningGraph(
            try kinds.topology(
                """
                in: { kind: numbers }
                bad: { kind: pass, from: in, queue: { capacity: 1 } }
                good: { kind: pass, from: in }
                out: { kind: sink, from: [bad, good] }
                """)
        ) { stage, error in failures.add("\(stage): \(error)") }
        graph.start()
        await #expect { try await graph.run() } throws: { error in
            guard case GraphError.stageFailed("bad", let underlying) = error else { return false }
            return underlying is Enough
        }
        #expect(failures.all == ["bad: enough"])
        #expect(kinds.journal.all.suffix(2) == ["good finish", "out finish"])
        let status = await graph.status()
        #expect(status["bad"]?.state == .failed && status["out"]?.state == .ended)
    }

    @Test func aSourceThatThrowsEndsTheGraphAfterWhatItSent() async throws {
        var kinds = FakeKinds()
        kinds.sources["in"] = NumberSource(numbers: [1, 2]) { number, _ in if number == 2 { throw Enough() } }
        kinds.plans["a"] = .init(atFinish: [9])
        let graph = try await RunningGraph(try kinds.topology(chain))
        graph.start()
        await #expect(throws: GraphError.self) { try await graph.run() }
        #expect(kinds.journal.all == ["a 1.1", "out 1.1", "a finish", "out 9.1", "out finish"])
        #expect(await graph.status()["in"]?.state == .failed)
    }

    @Test func anOrderReachesItsWorkerBetweenQuanta() async throws {
        var kinds = FakeKinds()
        let held = Latch()
        kinds.sources["in"] = NumberSource(numbers: [1]) { _, _ in await held.wait() }
        let graph = try await RunningGraph(try kinds.topology(chain))
        async let run: Void = graph.run()
        graph.start()
        #expect(await graph.control(.flush, of: "a"))
        #expect(await graph.control(.flush, of: "nobody") == false)
        held.open()
        try await run
        #expect(kinds.journal.all.contains("out -1.1"))
        #expect(await graph.control(.flush, of: "a") == false)
    }

    @Test func countersTellWhatEveryStageDid() async throws {
        var kinds = FakeKinds()
        let clock = ManualClock()
        kinds.sources["in"] = NumberSource(numbers: [1, 2, 3, 4], step: MediaTime(milliseconds: 500))
        kinds.plans["a"] = .init(quanta: 2, copies: 3) { note, _ in
            if note != nil { clock.advance(by: .milliseconds(50)) }
        }
        let graph = try await RunningGraph(try kinds.topology(chain), clock: StreamClock(clock))
        graph.start()
        try await graph.run()
        let status = await graph.status()
        #expect(status.streamTime == MediaTime(milliseconds: 2_000))
        let a = try #require(status["a"])
        #expect(a.packetsIn == 4 && a.packetsOut == 12 && a.quanta == 9)  // the last quantum after `finish`
        #expect(a.busy == MediaTime(milliseconds: 400))
        #expect(status.realTimeFactor(of: "a") == 0.2)
        #expect(status["in"]?.packetsOut == 4)
        #expect(status.links.map(\.highWater) == [1, 3])
    }

    @Test func aStageThatCannotBeMadeIsNamed() async throws {
        let registry = StageRegistry([
            StageKind(name: "broken", summary: "fails", output: Note.port, make: { _, _ in throw Enough() }),
            StageKind(
                name: "confused", summary: "is no source", output: Note.port,
                make: { _, _ in .worker(NoteWorker("", .init(), Journal())) })
        ])
        for (kind, message) in [("broken", "failed: enough"), ("confused", "wrong sort of stage")] {
            let topology = try Topology.parse("stages: { x: { kind: \(kind) } }", file: "t.yaml", registry: registry)
            await #expect { _ = try await RunningGraph(topology) } throws: { "\($0)".contains(message) }
        }
    }
}

struct Enough: Error, CustomStringConvertible {
    let description = "enough"
}
