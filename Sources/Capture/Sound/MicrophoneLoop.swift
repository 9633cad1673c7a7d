import Glibc
import Media

/// What the thread of a microphone does: read, hand on, and obey `DeviceLife`.
struct MicrophoneLoop: ~Copyable {
    private let request: MicrophoneRequest
    private let streamZero: Int64
    private let realtimePriority: Int
    private let feed: MicrophoneFeed
    private let wake: WakePipe
    private let watch = NodeWatch(microphonesIn: "/dev/snd")
    private var life: DeviceLife
    private var stream: MicrophoneStream?
    private var track: SoundTrack?
    private var isFirstPeriod = false
    /// Told lost, and not restored yet.
    private var isLost: Bool
    /// When ALSA's configuration was read last. Reading it costs a small machine some tenths of a second.
    private var configurationRead: Int64 = 0
    private static let configurationAge: Int64 = 500_000_000
    /// A node has appeared while we were busy with another.
    private var hasAppeared = false
    private var openings = 0
    private var isOver = false
    /// Where sound ended, on the monotonic clock: its last frame, or the start.
    private var soundEnd: Int64
    /// A read takes some 50 ms: one that takes as long as a silent device is given hangs.
    private static let readPatience = DeviceLife.quickPatience
    /// A server may have to be started first.
    private static let openPatience: Int64 = 15_000_000_000
    /// Nanoseconds missing that no mark has told yet,
    private var unmarked: Int64 = 0
    /// and no event.
    private var untold: Int64 = 0

    /// - Parameter lostSince: Where sound ended, of a device that was told lost before this thread began.
    init(
        _ request: MicrophoneRequest, streamZero: Int64, realtimePriority: Int, feed: MicrophoneFeed, wake: WakePipe,
        lostSince: Int64?
    ) {
        self.request = request
        self.streamZero = streamZero
        self.realtimePriority = realtimePriority
        self.feed = feed
        self.wake = wake
        let now = MonotonicClock.now()
        life = DeviceLife(now: now, seed: UInt64(truncatingIfNeeded: now), lostSince: lostSince)
        isLost = lostSince != nil
        soundEnd = lostSince ?? now
    }

    mutating func run() {
        advance(.woke)
        while !isOver, !wake.isWoken { step() }
    }

    /// One wait and what comes of it.
    private mutating func step() {
        if let stream {
            feed.promiseSign(within: Self.readPatience)
            switch stream.read() {
            case .nothing: break
            case .period(let period): handOn(period, of: stream)
            case .overrun:
                feed.count { $0.deviceOverruns += 1 }
                advance(.overran)
            case .failed(let trouble): advance(.failed(trouble))
            }
        } else {
            waitForDevice()
        }
        advance(.woke)
    }

    /// Until the back-off is over, a node appears or is let go of, or we are to stop.
    private mutating func waitForDevice() {
        if !hasAppeared {
            feed.promiseSign(within: nil)
            // Rounded up: waking before the deadline would only mean waiting once more.
            let left = max(0, life.deadline - MonotonicClock.now() + 999_999) / 1_000_000
            var requests = [
                pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: watch.descriptor, events: Int16(POLLIN), revents: 0)  // -1 is passed over
            ]
            _ = retrying { Int(poll(&requests, 2, CInt(clamping: left))) }
            if requests[0].revents != 0 { return }
            hasAppeared = requests[1].revents != 0 && watch.drain() > .none
        }
        if hasAppeared {
            hasAppeared = false
            advance(.appeared)
        }
    }

    private mutating func advance(_ event: DeviceLife.Event) {
        for action in life.advance(event, now: MonotonicClock.now()) { perform(action) }
    }

    private mutating func perform(_ action: DeviceLife.Action) {
        feed.promiseSign(within: Self.openPatience)
        switch action {
        case .open: open()
        case .close:
            stream = nil
            _ = watch.drain()  // that we let go of it ourselves
        case .restart:
            feed.count { $0.restarts += 1 }
            if let stream, case let code = stream.restart(), code != 0 {
                advance(.failed(stream.device.trouble(code) ?? .failed(errno: -code)))
            }
        case .tellLost(let trouble):
            isLost = true
            tell(.lost(message: message(trouble), at: time(MonotonicClock.now())))
        case .tellRestored:
            isLost = false
            tell(.restored(lost: MediaTime(nanoseconds: untold), at: time(soundEnd)))
            untold = 0
        case .tellObstacle(let trouble): tell(.obstacle(message: message(trouble)))
        case .giveUp(let trouble):
            feed.fail(.deviceUnusable(message: message(trouble)))
            isOver = true
        }
    }

    private mutating func open() {
        watch.refresh()
        let now = MonotonicClock.now()
        if openings > 0 || isLost, now - configurationRead > Self.configurationAge {
            configurationRead = now
            forgetALSAConfiguration()
        }
        do throws(DeviceTrouble) {
            let opened = try MicrophoneStream(request)
            if openings > 0 { feed.count { $0.reopens += 1 } }
            openings += 1
            isFirstPeriod = true
            stream = opened
            let device = opened.device
            if track?.format != device.format {
                let track = SoundTrack(format: device.format, periodFrames: device.periodFrames)
                feed.begin(track)
                self.track = track
            }
            feed.tell(
                .opened(
                    MicrophoneFormat(
                        asked: request, sound: device.format, periodFrames: device.periodFrames,
                        bufferFrames: device.bufferFrames, realtimePriority: realtimePriority)))
            advance(.opened)
        } catch {
            // What we opened to look at it and let go of again is no news.
            hasAppeared = watch.drain() == .appeared
            advance(.refused(error))
        }
    }

    /// A period to the reader, with what is missing before it.
    private mutating func handOn(_ period: MicrophoneStream.Period, of stream: MicrophoneStream) {
        var missing = period.missing
        // A stream that was opened anew knows nothing of the one before; the very first has nothing before it.
        if isFirstPeriod, isLost { missing = max(0, period.time - soundEnd) }
        isFirstPeriod = false
        unmarked += missing
        untold += missing
        soundEnd = period.time
        advance(.frame)  // tells of a device that is back, and what is missing

        let length = stream.duration(period.frames)
        let rateHz = stream.measuredRateHz
        let samples = stream.samples
        if track?.put(samples.span, time: period.time, lost: unmarked) == true {
            if untold > 0 { tell(.overrun(lost: MediaTime(nanoseconds: untold), at: time(period.time))) }
            (unmarked, untold) = (0, 0)
            feed.count { statistics in
                statistics.framesCaptured += period.frames
                statistics.measuredRateHz = rateHz
            }
        } else {
            unmarked += length
            untold += length
            feed.count { $0.framesDropped += period.frames }
        }
        soundEnd = period.time + length
    }

    private func tell(_ news: DeviceNews) { feed.tell(.device(news)) }

    private func time(_ nanoseconds: Int64) -> MediaTime { MediaTime(nanoseconds: nanoseconds - streamZero) }

    private func message(_ trouble: DeviceTrouble) -> String {
        let message = trouble.message(.microphone, request.device)
        let others = trouble == .absent ? DeviceList.cardNames.filter { $0 != request.device } : []
        return others.isEmpty ? message : message + " There is: \(others.joined(separator: ", "))."
    }
}
