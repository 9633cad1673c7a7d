package import Media

/// What a camera has to say.
package enum CameraNews: Sendable {
    case frame(VideoFrame)
    /// It was opened, and this is what it gives; told again when it was reopened.
    case opened(CameraFormat)
    case device(DeviceNews)
}

/// A camera through libv4l2: `v4l2`.
///
/// ```
/// driver ─ mmap ─► thread: check, stamp, copy ─► CameraFeed (one frame, the newest) ─► next()
///                    ▲ obeys
///                 DeviceLife ◄─ frames, errors, inotify, time
/// ```
/// A camera need not be there: its thread waits for it, opens it whenever it appears, and never gives up but on a
/// device that is none. Frames that are damaged, empty, flagged or too many are counted and left out.
package struct Camera: ~Copyable, Sendable {
    private let feed: CameraFeed
    private let wake: WakePipe
    private let thread: CaptureThread

    /// Starts the thread that opens the camera.
    /// - Parameter streamZero: `MonotonicClock` nanoseconds at stream time 0.
    /// - Throws: `lost` if no thread can be had.
    package init(_ request: CameraRequest, streamZero: Int64) throws(CaptureError) {
        let feed = CameraFeed()
        let wake = try WakePipe(device: request.device)
        thread = try CaptureThread(name: "camera", device: request.device) { _ in
            var loop = CameraLoop(request, streamZero: streamZero, feed: feed, wake: wake)
            loop.run()
        }
        self.feed = feed
        self.wake = wake
    }

    /// Tells the thread to end; that of `thread` then waits for it.
    deinit { wake.wake() }

    /// The next news; the newest frame if there is nothing else to tell.
    /// - Returns: nil once the task was cancelled.
    /// - Throws: `deviceUnusable` for what can never deliver.
    package func next() async throws(CaptureError) -> CameraNews? {
        while true {
            if let news = try feed.take() { return news }
            guard await feed.wait() else { return nil }
        }
    }

    package var statistics: CameraStatistics { feed.statistics }
}
