package import Media

/// A microphone through libasound2: `alsa`.
///
/// A thread of its own reads the device into a lock-free ring; `next()` takes out what has arrived. Block times are
/// the driver's monotonic stamps, filtered: a block begins where the one before ended but for the drift of the card,
/// which is microseconds. What was lost, by an overrun of the device or of our ring, stands in `lostBefore` of the block
/// after.
package struct Microphone: ~Copyable, SoundSource {
    package let device: String
    /// What the device delivers, read back from it.
    package let format: AudioFormat
    private let feed: MicrophoneFeed
    private let thread: CaptureThread
    private let streamZero: Int64
    /// Frames of the longest block that `next()` makes of what has piled up.
    private let blockFrames: Int

    /// Opens the device and starts capturing.
    /// - Parameter streamZero: `MonotonicClock` nanoseconds at stream time 0.
    /// - Throws: `deviceNotFound`, `deviceBusy`, `notPermitted`, `formatRefused`, `formatAbsurd`, `lost`.
    package init(_ request: MicrophoneRequest = MicrophoneRequest(), streamZero: Int64) throws(CaptureError) {
        let alsa = try ALSADevice(request)
        let feed = MicrophoneFeed(format: alsa.format, periodFrames: alsa.periodFrames)
        let code = alsa.start()
        guard code == 0 else { throw .lost(device: request.device, errno: -code) }
        let thread = try CaptureThread(name: "microphone", device: request.device) {
            var loop = MicrophoneLoop(device: alsa, feed: feed)
            loop.run()
        }
        device = request.device
        format = alsa.format
        blockFrames = max(alsa.periodFrames, alsa.format.rateHz / 10)
        self.feed = feed
        self.thread = thread
        self.streamZero = streamZero
    }

    /// Tells the thread to end; that of `thread` then waits for it, a few milliseconds to 50.
    deinit { feed.stop() }

    /// What has arrived since, up to 100 ms; `.pending` if nothing has.
    /// - Throws: `lost` once the device has gone and everything before is out.
    package mutating func next() throws(CaptureError) -> SoundPull {
        let failure = feed.failure  // read first: what was captured before it is in the ring by now
        if let run = feed.take(maxFrames: blockFrames) {
            let block = AudioBlock(
                time: MediaTime(nanoseconds: run.time - streamZero), rateHz: format.rateHz, channels: format.channels,
                samples: run.samples, lostBefore: MediaTime(nanoseconds: run.lost))
            return .block(block, due: nil)
        }
        if failure != 0 { throw .lost(device: device, errno: failure) }
        return .pending
    }

    package var statistics: MicrophoneStatistics { feed.statistics }
}

package struct MicrophoneStatistics: Sendable, Equatable {
    package var framesCaptured = 0
    /// Times the device's own buffer ran over.
    package var deviceOverruns = 0
    /// Frames thrown away because nobody emptied the ring.
    package var framesDropped = 0
    /// The rate of the card by the monotonic clock; 0 before the first sound.
    package var measuredRateHz = 0.0
}
