package import Media

/// What a microphone has to give or to say.
package enum MicrophoneNews: Sendable {
    case block(AudioBlock)
    /// It was opened, and this is what it gives; told again when it was reopened.
    case opened(MicrophoneFormat)
    case device(DeviceNews)
}

/// A microphone through libasound2: `alsa`.
///
/// ```
/// driver ─► MicrophoneStream: a period, as Float, stamped ─► SoundTrack (lock-free) ─► next()
///                    ▲ obeys
///                DeviceLife ◄─ periods, errors, inotify, time
/// ```
/// A microphone need not be there: its thread waits for it, opens it whenever it appears, and never gives up but on a
/// name that can stand for none. One that hangs in a driver or a plugin is left behind for another. Block times are the driver's monotonic stamps, filtered: a block begins where the one
/// before ended but for the drift of the card, which is microseconds. What is missing between two blocks, by an overrun
/// of the device or of our ring or because it was away, stands in `lostBefore` of the second.
package struct Microphone: ~Copyable, Sendable {
    /// Of the longest block that `next()` makes of what has piled up.
    private static let blockMilliseconds = 100
    /// How long a microphone with nothing to give is left alone: short against a block, long against a wake-up.
    package static let patience = Duration.milliseconds(10)

    private let request: MicrophoneRequest
    private let streamZero: Int64
    private var feed: MicrophoneFeed
    private var wake: WakePipe
    private var thread: CaptureThread?
    /// Where the last block ended, on the monotonic clock.
    private var soundEnd: Int64?
    /// Told lost, and not restored yet.
    private var isLost = false
    private var track: SoundTrack?
    private var following: SoundTrack?

    /// Starts the thread that opens the device.
    /// - Parameter streamZero: `MonotonicClock` nanoseconds at stream time 0.
    /// - Throws: `lost` if no thread can be had.
    package init(_ request: MicrophoneRequest = MicrophoneRequest(), streamZero: Int64) throws(CaptureError) {
        let (feed, wake) = (MicrophoneFeed(), try WakePipe(device: request.device))
        thread = try Self.start(request, streamZero, feed, wake, lostSince: nil)
        (self.request, self.streamZero, self.feed, self.wake) = (request, streamZero, feed, wake)
    }

    private static func start(
        _ request: MicrophoneRequest, _ streamZero: Int64, _ feed: MicrophoneFeed, _ wake: WakePipe, lostSince: Int64?
    ) throws(CaptureError) -> CaptureThread {
        try CaptureThread(name: "microphone", device: request.device) { priority in
            var loop = MicrophoneLoop(
                request, streamZero: streamZero, realtimePriority: priority, feed: feed, wake: wake,
                lostSince: lostSince)
            loop.run()
        }
    }

    /// Tells the thread to end; that of `thread` then waits for it, a few milliseconds to 50.
    deinit { wake.wake() }

    /// Leaves a thread that hangs in a driver or a plugin behind, and begins with another one.
    private mutating func startAnew() throws(CaptureError) {
        wake.wake()  // should it come back after all
        thread.take()?.abandon()
        var statistics = feed.statistics
        statistics.reopens += 1
        feed = MicrophoneFeed(statistics)
        wake = try WakePipe(device: request.device)
        (track, following) = (nil, nil)
        thread = try Self.start(request, streamZero, feed, wake, lostSince: soundEnd ?? MonotonicClock.now())
    }

    /// The next news, or what has arrived since, up to 100 ms of it; nil if nothing has.
    /// - Throws: `deviceUnusable` for what can never deliver.
    package mutating func next() throws(CaptureError) -> MicrophoneNews? {
        let failure = feed.failure  // read first: what was told before it is there by now
        if let news = feed.nextNews() {
            if case .device(.lost) = news { isLost = true }
            if case .device(.restored) = news { isLost = false }
            return news
        }
        if let block = nextBlock() {
            soundEnd = streamZero + block.end.nanoseconds
            return .block(block)
        }
        if let failure { throw failure }
        guard feed.isOverdue else { return nil }
        try startAnew()
        let message = DeviceTrouble.stuck.message(.microphone, request.device)
        if isLost { return .device(.obstacle(message: message)) }
        isLost = true
        return .device(.lost(message: message, at: MediaTime(nanoseconds: MonotonicClock.now() - streamZero)))
    }

    private mutating func nextBlock() -> AudioBlock? {
        while true {
            // Asked for first: nothing is written to a track any more once there is another.
            if following == nil { following = feed.nextTrack() }
            if let track {
                let format = track.format
                if let run = track.take(maxFrames: format.rateHz * Self.blockMilliseconds / 1_000) {
                    return AudioBlock(
                        time: MediaTime(nanoseconds: run.time - streamZero), rateHz: format.rateHz,
                        channels: format.channels, samples: run.samples, lostBefore: MediaTime(nanoseconds: run.lost))
                }
            }
            if following == nil { return nil }
            track = following.take()
        }
    }

    package var statistics: MicrophoneStatistics { feed.statistics }
}

/// What became of a microphone's sound, since it was first opened.
package struct MicrophoneStatistics: Sendable, Equatable {
    package var framesCaptured = 0
    /// Times the device's own buffer ran over.
    package var deviceOverruns = 0
    /// Frames thrown away because nobody emptied the ring.
    package var framesDropped = 0
    /// The stream was stopped and started again, with the device open.
    package var restarts = 0
    /// The device was opened again.
    package var reopens = 0
    /// The rate of the card by the monotonic clock; 0 before the first sound.
    package var measuredRateHz = 0.0

    package init() {}
}
