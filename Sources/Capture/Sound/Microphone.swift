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
/// name that can stand for none. Block times are the driver's monotonic stamps, filtered: a block begins where the one
/// before ended but for the drift of the card, which is microseconds. What is missing between two blocks, by an overrun
/// of the device or of our ring or because it was away, stands in `lostBefore` of the second.
package struct Microphone: ~Copyable, Sendable {
    /// Of the longest block that `next()` makes of what has piled up.
    private static let blockMilliseconds = 100
    /// How long a microphone with nothing to give is left alone: short against a block, long against a wake-up.
    package static let patience = Duration.milliseconds(10)

    private let feed: MicrophoneFeed
    private let wake: WakePipe
    private let thread: CaptureThread
    private let streamZero: Int64
    private var track: SoundTrack?
    private var following: SoundTrack?

    /// Starts the thread that opens the device.
    /// - Parameter streamZero: `MonotonicClock` nanoseconds at stream time 0.
    /// - Throws: `lost` if no thread can be had.
    package init(_ request: MicrophoneRequest = MicrophoneRequest(), streamZero: Int64) throws(CaptureError) {
        let feed = MicrophoneFeed()
        let wake = try WakePipe(device: request.device)
        thread = try CaptureThread(name: "microphone", device: request.device) { priority in
            var loop = MicrophoneLoop(
                request, streamZero: streamZero, realtimePriority: priority, feed: feed, wake: wake)
            loop.run()
        }
        self.feed = feed
        self.wake = wake
        self.streamZero = streamZero
    }

    /// Tells the thread to end; that of `thread` then waits for it, a few milliseconds to 50.
    deinit { wake.wake() }

    /// The next news, or what has arrived since, up to 100 ms of it; nil if nothing has.
    /// - Throws: `deviceUnusable` for what can never deliver.
    package mutating func next() throws(CaptureError) -> MicrophoneNews? {
        let failure = feed.failure  // read first: what was told before it is there by now
        if let news = feed.nextNews() { return news }
        if let block = nextBlock() { return .block(block) }
        if let failure { throw failure }
        return nil
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
