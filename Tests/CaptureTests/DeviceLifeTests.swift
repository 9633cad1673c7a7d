@testable import Capture
import TestSupport
import Testing

/// Milliseconds, as the machine's nanoseconds.
private func ms(_ milliseconds: Int64) -> Int64 { milliseconds * 1_000_000 }

/// A camera's life driven by hand, or by a model of a device.
private final class Driver {
    var life = DeviceLife(now: 0, seed: 1)
    var now: Int64 = 0

    func send(_ event: DeviceLife.Event, after milliseconds: Int64 = 0) -> [DeviceLife.Action] {
        now += ms(milliseconds)
        return life.advance(event, now: now)
    }

    /// Opened, and `frames` of them have come, `interval` milliseconds apart.
    func stream(frames: Int = 30, interval: Int64 = 33) {
        _ = send(.woke)
        _ = send(.opened)
        for _ in 0..<frames { _ = send(.frame, after: interval) }
    }

    /// Lets time pass until the machine wants something.
    func sleep() -> [DeviceLife.Action] {
        now = max(now, life.deadline)
        return life.advance(.woke, now: now)
    }
}

struct DeviceLifeTests {
    @Test func `it opens at once and tells nothing while all is well`() {
        let driver = Driver()
        #expect(driver.send(.woke) == [.open])
        #expect(driver.send(.opened).isEmpty)
        for _ in 0..<1_000 {
            #expect(driver.send(.frame, after: 33).isEmpty)
            #expect(driver.send(.woke).isEmpty)
        }
    }

    @Test(arguments: [5, 10, 33, 66, 100, 200] as [Int64]) func `a freeze is told within a second`(interval: Int64) {
        let driver = Driver()
        driver.stream(interval: interval)
        let fault = driver.now
        #expect(driver.send(.woke, after: interval).isEmpty)
        #expect(driver.sleep() == [.tellLost(.silent), .restart])
        #expect(driver.now - fault <= ms(1_000))
    }

    @Test(arguments: [250, 500, 1_000, 10_000] as [Int64]) func `a slow camera is given three frames and a second`(
        interval: Int64
    ) {
        let driver = Driver()
        driver.stream(interval: interval)
        let last = driver.now
        #expect(driver.sleep() == [.tellLost(.silent), .restart])
        #expect(driver.now - last == 3 * ms(interval) + ms(1_000))
    }

    @Test func `a camera that slows down in the dark is not taken for frozen`() {
        let driver = Driver()
        driver.stream(frames: 100, interval: 33)
        for interval in [66, 133, 266, 500, 700, 1_000, 1_000, 1_000, 1_000] as [Int64] {
            for _ in 0..<8 {
                #expect(driver.send(.woke, after: interval - 1).isEmpty)
                #expect(driver.send(.frame, after: 1).isEmpty)
            }
        }
    }

    @Test func `a camera that is slow to start is waited for`() {
        let driver = Driver()
        _ = driver.send(.woke)
        _ = driver.send(.opened)
        #expect(driver.send(.woke, after: 4_900).isEmpty)
        #expect(driver.send(.frame, after: 50).isEmpty)
        #expect(driver.send(.woke, after: 2_000).isEmpty)
    }

    @Test func `what does not help is followed by what helps more`() {
        let driver = Driver()
        driver.stream()
        #expect(driver.sleep() == [.tellLost(.silent), .restart])
        #expect(driver.sleep() == [.close, .open])
        #expect(driver.send(.opened).isEmpty)
        #expect(driver.sleep() == [.close])
        #expect(driver.sleep() == [.open])
        _ = driver.send(.opened)
        let before = driver.now
        #expect(driver.send(.frame, after: 10) == [.tellRestored(lost: before + ms(10) - ms(30 * 33))])
    }

    @Test func `a streaming error is met at once`() {
        let driver = Driver()
        driver.stream()
        #expect(driver.send(.failed(.failed(errno: 5))) == [.tellLost(.failed(errno: 5)), .restart])
        #expect(driver.send(.failed(.failed(errno: 5))) == [.close, .open])
        _ = driver.send(.opened)
        #expect(driver.send(.frame, after: 40) == [.tellRestored(lost: ms(40))])
    }

    @Test func `a suspended device is started again at once, and told restored with its next sound`() {
        let driver = Driver()
        driver.stream(interval: 20)
        #expect(driver.send(.failed(.suspended)) == [.tellLost(.suspended), .restart])
        #expect(driver.send(.frame, after: 60) == [.tellRestored(lost: ms(60))])
    }

    @Test func `a device whose data we took too late is not taken for silent`() {
        let driver = Driver()
        driver.stream(interval: 20)
        #expect(driver.send(.overran, after: 2_000).isEmpty)
        #expect(driver.send(.woke).isEmpty)
        #expect(driver.send(.frame, after: 100).isEmpty)
        #expect(driver.sleep() == [.tellLost(.silent), .restart])
    }

    @Test func `a pulled plug closes everything at once, and a new one opens at once`() {
        let driver = Driver()
        driver.stream()
        #expect(driver.send(.failed(.unplugged)) == [.tellLost(.unplugged), .close])
        #expect(driver.sleep() == [.open])
        #expect(driver.send(.refused(.absent)).isEmpty)
        #expect(driver.send(.refused(.absent), after: 100).isEmpty)
        #expect(driver.send(.appeared, after: 10) == [.open])
        #expect(driver.send(.refused(.denied)).isEmpty)
        #expect(driver.life.deadline - driver.now == ms(100))
        #expect(driver.sleep() == [.open])
        _ = driver.send(.opened)
        let gone = driver.now - ms(30 * 33)
        #expect(driver.send(.frame) == [.tellRestored(lost: gone)])
    }

    @Test func `a camera that is not there is told once and waited for with growing patience`() {
        let driver = Driver()
        #expect(driver.send(.woke) == [.open])
        #expect(driver.send(.refused(.absent)) == [.tellLost(.absent)])
        var waits: [Int64] = []
        for _ in 0..<12 {
            let before = driver.now
            #expect(driver.sleep() == [.open])
            waits.append(driver.now - before)
            #expect(driver.send(.refused(.absent)).isEmpty)
        }
        for (wait, nominal) in zip(waits, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000] as [Int64]) {
            #expect(wait >= ms(nominal) * 3 / 4 && wait <= ms(nominal) * 5 / 4, "\(wait) for \(nominal) ms")
        }
        #expect(waits.last! <= ms(12_500))
    }

    @Test func `what else stands in the way is told once`() {
        let driver = Driver()
        _ = driver.send(.woke)
        #expect(driver.send(.refused(.absent)) == [.tellLost(.absent)])
        _ = driver.sleep()
        #expect(driver.send(.refused(.busy)) == [.tellObstacle(.busy)])
        _ = driver.sleep()
        #expect(driver.send(.refused(.busy)).isEmpty)
    }

    @Test func `a camera that opens and then fails says why, once`() {
        let driver = Driver()
        _ = driver.send(.woke)
        var told = driver.send(.refused(.absent))
        for _ in 0..<10 {
            while !driver.sleep().contains(.open) {}
            told += driver.send(.opened)
            told += driver.send(.failed(.failed(errno: 5)), after: 10)
        }
        #expect(told.filter { $0 == .tellObstacle(.failed(errno: 5)) }.count == 1)
    }

    @Test func `what stands in the way of a camera that has just appeared is told when it stays`() {
        let driver = Driver()
        _ = driver.send(.woke)
        _ = driver.send(.refused(.absent))
        _ = driver.send(.appeared, after: 100)
        var told: [DeviceLife.Action] = driver.send(.refused(.denied))
        for _ in 0..<40 {
            #expect(driver.sleep() == [.open])
            told += driver.send(.refused(.denied))
        }
        #expect(told == [.tellObstacle(.denied)])
    }

    @Test func `it gives up only on what was never a camera`() {
        let driver = Driver()
        _ = driver.send(.woke)
        let trouble = DeviceTrouble.unsuitable(reason: "it is a codec")
        #expect(driver.send(.refused(trouble)) == [.giveUp(trouble)])
        #expect(driver.life.deadline == .max)
        #expect(driver.send(.appeared).isEmpty && driver.send(.woke, after: 100_000).isEmpty)

        let other = Driver()
        other.stream()
        _ = other.send(.failed(.unplugged))
        _ = other.sleep()
        #expect(other.send(.refused(trouble)) == [.tellObstacle(trouble)])
        #expect(other.sleep() == [.open])
    }

    @Test func `a device that fails with every frame does not make us spin`() {
        let driver = Driver()
        _ = driver.send(.woke)
        _ = driver.send(.opened)
        var opens = 0
        var lost = 0
        let start = driver.now
        while driver.now - start < ms(60_000) {
            var actions = driver.send(.frame, after: 1)
            actions += driver.send(.failed(.failed(errno: 5)), after: 1)
            while !actions.contains(.open), !actions.contains(.restart) { actions += driver.sleep() }
            lost += actions.filter { if case .tellLost = $0 { true } else { false } }.count
            opens += actions.filter { $0 == .open }.count
            if actions.contains(.open) { _ = driver.send(.opened) }
        }
        #expect(opens < 20 && lost < 20)
    }

    @Test func `after ten steady seconds a trouble is the first again`() {
        let driver = Driver()
        driver.stream()
        _ = driver.send(.failed(.failed(errno: 5)))
        for _ in 0..<400 { _ = driver.send(.frame, after: 33) }
        #expect(driver.send(.failed(.failed(errno: 5))).last == .restart)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `whatever happens, lost and restored take turns and each is told once`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let driver = Driver()
        var isOpen = false
        var isLost = false
        let troubles: [DeviceTrouble] = [.unplugged, .failed(errno: 5), .silent, .busy, .absent, .denied, .bandwidth]
        func trouble() -> DeviceTrouble { troubles.randomElement(using: &random)! }
        func obey(_ actions: [DeviceLife.Action], opens: () -> Bool) {
            var actions = actions
            while !actions.isEmpty {
                switch actions.removeFirst() {
                case .open:
                    #expect(!isOpen)
                    isOpen = opens()
                    actions += driver.send(isOpen ? .opened : .refused(trouble()))
                case .close:
                    #expect(isOpen)
                    isOpen = false
                case .restart: #expect(isOpen)
                case .tellLost:
                    #expect(!isLost)
                    isLost = true
                case .tellRestored(let lost):
                    #expect(isLost && lost >= 0)
                    isLost = false
                case .tellObstacle: #expect(isLost)
                case .giveUp: Issue.record("it gave up")
                }
            }
        }
        obey(driver.send(.woke), opens: { true })
        for _ in 0..<2_000 {
            #expect(driver.life.deadline < .max)
            let actions =
                switch Int.random(in: 0..<10, using: &random) {
                case 0: driver.sleep()
                case 1: driver.send(.appeared, after: Int64.random(in: 0..<4_000, using: &random))
                case 2 where isOpen: driver.send(.failed(trouble()), after: 1)
                default: isOpen ? driver.send(.frame, after: 33) : driver.sleep()
                }
            obey(actions, opens: { Bool.random(using: &random) })
        }
        // Left alone with a device that works, it always gets up again.
        for _ in 0..<20 { obey(isOpen ? driver.send(.frame, after: 33) : driver.sleep(), opens: { true }) }
        #expect(isOpen && !isLost)
    }
}
