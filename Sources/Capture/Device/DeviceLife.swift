/// Decides what the thread of a camera or microphone does next. No clock, no I/O: times are nanoseconds of any clock that runs on.
///
/// ```
///              ┌──────── refused, or out of patience for good ─────────┐
///              ▼                                                       │
///   closed ─ open ─► starting ─ frame ─► streaming ─ trouble ─► restart the stream, then reopen, then close
///      ▲                                     │
///      └──────── unplugged: close at once ───┘
/// ```
/// Whatever the trouble, it is told lost at once and restored with the next frame, once each. The rungs of the ladder
/// (restart, reopen, close and wait) come down again only when the stream has been steady for a while: a device that
/// fails with every frame cannot make us spin.
package struct DeviceLife {
    package enum Event: Equatable, Sendable {
        /// The device was opened and streams.
        case opened
        /// It was not, and is closed.
        case refused(DeviceTrouble)
        /// A whole frame came; of sound, a period.
        case frame
        /// There was data, but we came too late for it: the device did not fail to deliver.
        case overran
        /// Streaming failed.
        case failed(DeviceTrouble)
        /// Something was plugged in, a node's permissions have changed, or another program let go of it.
        case appeared
        /// Time has passed.
        case woke
    }

    package enum Action: Equatable, Sendable {
        /// Opens the device and starts its stream; answered by `opened` or `refused`.
        case open
        /// Stops the stream and starts it again; answered by `failed` if that goes wrong.
        case restart
        /// Lets go of all that belongs to the device.
        case close
        case tellLost(DeviceTrouble)
        /// So many nanoseconds are missing.
        case tellRestored(lost: Int64)
        /// While it is lost, something else stands in the way now.
        case tellObstacle(DeviceTrouble)
        /// There is no hope.
        case giveUp(DeviceTrouble)
    }

    private enum Phase: Equatable {
        case closed(until: Int64)
        case starting(until: Int64)
        case streaming(last: Int64, frames: Int)
        case over
    }

    /// Cameras are slow to start, and so are sound servers; until then and for the first few frames.
    static let startPatience: Int64 = 5_000_000_000
    /// After a restart of the stream nothing has to be powered up.
    static let restartPatience: Int64 = 2_000_000_000
    /// Of a device with at least five frames a second: four of them, and told within a second.
    static let quickPatience: Int64 = 800_000_000
    /// From then on the pace of a device is known.
    static let settledFrames = 5
    /// So long without trouble, and the next trouble is the first again.
    static let steadyTime: Int64 = 10_000_000_000
    static let firstBackOff: Int64 = 500_000_000
    static let longestBackOff: Int64 = 10_000_000_000
    /// A node appears before its permissions, and before its driver is ready: it is tried this often,
    static let eagerInterval: Int64 = 100_000_000
    /// for this long.
    static let eagerTime: Int64 = 3_000_000_000

    private var phase: Phase
    /// 0: the next trouble is met by a restart, 1: by reopening, 2: by closing and waiting.
    private var rung = 0
    private var steadySince: Int64
    private var backOff = firstBackOff
    private var appearedAt: Int64?
    private var hasStreamed = false
    /// Nanoseconds from frame to frame, smoothed.
    private var interval: Int64?
    /// Set while it is told lost: its last frame, or the start.
    private var lostSince: Int64?
    private var lastFrame: Int64
    /// Told since it was lost: each is told once.
    private var told: [DeviceTrouble] = []
    private var jitter: UInt64

    /// - Parameters:
    ///   - seed: Of the jitter that keeps several devices on a bus from trying in step.
    ///   - lostSince: Of a device that streamed before and was told lost since: its last frame.
    package init(now: Int64, seed: UInt64, lostSince: Int64? = nil) {
        phase = .closed(until: now)
        steadySince = now
        lastFrame = lostSince ?? now
        jitter = seed
        self.lostSince = lostSince
        hasStreamed = lostSince != nil
    }

    /// When `woke` is due at the latest.
    package var deadline: Int64 {
        switch phase {
        case .closed(let until), .starting(let until): until
        case .streaming(let last, let frames): last + patience(after: frames)
        case .over: .max
        }
    }

    /// - Returns: what to do now, in order.
    package mutating func advance(_ event: Event, now: Int64) -> [Action] {
        switch (phase, event) {
        case (.closed, .opened):
            hasStreamed = true
            interval = nil
            phase = .starting(until: now + Self.startPatience)
            return []
        case (.closed, .refused(let trouble)): return refuse(trouble, now: now)
        case (.closed, .appeared):
            appearedAt = now
            backOff = Self.firstBackOff
            return open(now: now)
        case (.closed(let until), .woke): return now >= until ? open(now: now) : []
        case (.starting, .frame), (.streaming, .frame): return takeFrame(now: now)
        case (.streaming(_, let frames), .overran):
            phase = .streaming(last: now, frames: frames)
            return []
        case (.starting, .failed(let trouble)), (.streaming, .failed(let trouble)): return climb(trouble, now: now)
        case (.starting, .woke), (.streaming, .woke): return now >= deadline ? climb(.silent, now: now) : []
        default: return []
        }
    }

    private mutating func open(now: Int64) -> [Action] {
        phase = .closed(until: now + eagerOrBackOff(now: now))  // should nobody answer
        return [.open]
    }

    private mutating func refuse(_ trouble: DeviceTrouble, now: Int64) -> [Action] {
        if case .unsuitable = trouble, !hasStreamed {
            phase = .over
            return [.giveUp(trouble)]
        }
        phase = .closed(until: now + eagerOrBackOff(now: now))
        if !isEager(now: now) { backOff = min(2 * backOff, Self.longestBackOff) }
        if lostSince == nil { return tellLost(trouble) }
        // A node that is just appearing refuses in several ways, none of which is worth a word.
        return isEager(now: now) ? [] : tellObstacle(trouble)
    }

    private mutating func takeFrame(now: Int64) -> [Action] {
        var frames = 1
        if case .streaming(let last, let before) = phase {
            frames = before + 1
            let latest = now - last
            interval = interval.map { $0 + (latest - $0) / 4 } ?? latest
        }
        phase = .streaming(last: now, frames: frames)
        lastFrame = now
        if now - steadySince >= Self.steadyTime {
            rung = 0
            backOff = Self.firstBackOff
        }
        guard let since = lostSince else { return [] }
        lostSince = nil
        steadySince = now
        return [.tellRestored(lost: now - since)]
    }

    /// Meets a trouble with the next rung of the ladder.
    private mutating func climb(_ trouble: DeviceTrouble, now: Int64) -> [Action] {
        var actions = lostSince == nil ? tellLost(trouble) : tellObstacle(trouble)
        steadySince = now
        switch (trouble, rung) {
        case (.unplugged, _), (_, 2...):
            rung = 0
            phase = .closed(until: now + nextWait())
            if trouble != .unplugged {
                rung = 2
                backOff = min(2 * backOff, Self.longestBackOff)
            }
            actions.append(.close)
        case (_, 0):
            rung = 1
            phase = .starting(until: now + Self.restartPatience)
            actions.append(.restart)
        default:
            rung = 2
            actions.append(.close)
            actions += open(now: now)
        }
        return actions
    }

    private mutating func tellLost(_ trouble: DeviceTrouble) -> [Action] {
        lostSince = lastFrame
        told = trouble == .unplugged ? [trouble, .absent] : [trouble]  // which is the same, seen from outside
        return [.tellLost(trouble)]
    }

    private mutating func tellObstacle(_ trouble: DeviceTrouble) -> [Action] {
        if told.contains(trouble) { return [] }
        told.append(trouble)
        return [.tellObstacle(trouble)]
    }

    private func isEager(now: Int64) -> Bool { appearedAt.map { now - $0 < Self.eagerTime } ?? false }

    private mutating func eagerOrBackOff(now: Int64) -> Int64 {
        isEager(now: now) ? Self.eagerInterval : nextWait()
    }

    /// The back-off, a quarter more or less (a linear congruential generator is random enough).
    private mutating func nextWait() -> Int64 {
        jitter = jitter &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return backOff * 3 / 4 + Int64(jitter >> 40) % (backOff / 2)
    }

    /// How long after a frame the next may take.
    private func patience(after frames: Int) -> Int64 {
        guard frames >= Self.settledFrames, let interval else { return Self.startPatience }
        return interval <= 200_000_000 ? Self.quickPatience : 3 * interval + 1_000_000_000
    }
}
