import Glibc
import Media

/// What the thread of a camera does: wait, take the frame, and obey `DeviceLife`.
struct CameraLoop: ~Copyable {
    private let request: CameraRequest
    private let feed: CameraFeed
    private let wake: WakePipe
    private let watch: NodeWatch
    private let streamZero: Int64
    private var life: DeviceLife
    private var stream: V4L2Stream?
    /// Of the camera that was opened last, by which it is known again under another number.
    private var identity: V4L2Identity?
    private var clock: FrameClock
    private var sequence = SequenceCounter()
    private var thinner: FrameThinner?
    private var lastFrame: Int64?
    private var hasOpened = false
    private var isOver = false

    init(_ request: CameraRequest, streamZero: Int64, feed: CameraFeed, wake: WakePipe) {
        self.request = request
        self.streamZero = streamZero
        self.feed = feed
        self.wake = wake
        watch = NodeWatch(camera: request.device)
        clock = FrameClock(streamZero: streamZero)
        let now = MonotonicClock.now()
        life = DeviceLife(now: now, seed: UInt64(truncatingIfNeeded: now))
    }

    mutating func run() {
        advance(.woke)
        while !isOver { step() }
    }

    /// One wait and what comes of it.
    private mutating func step() {
        let left = life.deadline == .max ? -1 : max(0, life.deadline - MonotonicClock.now())
        var requests = [
            pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: watch.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stream?.node.descriptor ?? -1, events: Int16(POLLIN), revents: 0)  // -1 is passed over
        ]
        // Rounded up: waking before the deadline would only mean waiting once more.
        let timeout = left < 0 ? -1 : CInt(clamping: (left + 999_999) / 1_000_000)
        _ = retrying { Int(poll(&requests, 3, timeout)) }
        if requests[0].revents != 0 {
            isOver = true
            return
        }
        // What has come in while we were held up comes before the watchdog's judgement.
        if requests[2].revents != 0 { takeFrames(requests[2].revents) }
        if requests[1].revents != 0, watch.drain() == .appeared { advance(.appeared) }
        advance(.woke)
    }

    private mutating func advance(_ event: DeviceLife.Event) {
        for action in life.advance(event, now: MonotonicClock.now()) { perform(action) }
    }

    private mutating func perform(_ action: DeviceLife.Action) {
        let now = MediaTime(nanoseconds: MonotonicClock.now() - streamZero)
        switch action {
        case .open: open()
        case .close: stream = nil
        case .restart:
            feed.count { $0.restarts += 1 }
            sequence.restart()
            lastFrame = nil
            if let code = stream?.restart(), code != 0 { advance(.failed(trouble(-code))) }
        case .tellLost(let trouble): feed.tell(.device(.lost(message: message(trouble), at: now)))
        case .tellRestored(let lost):
            feed.tell(.device(.restored(lost: MediaTime(nanoseconds: lost), at: now)))
        case .tellObstacle(let trouble): feed.tell(.device(.obstacle(message: message(trouble))))
        case .giveUp(let trouble):
            feed.fail(.deviceUnusable(message: message(trouble)))
            isOver = true
        }
    }

    private func message(_ trouble: DeviceTrouble) -> String { trouble.message(.camera, request.device) }

    private mutating func open() {
        watch.refresh()
        do throws(DeviceTrouble) {
            let opened = try openAnywhere()
            if hasOpened { feed.count { $0.reopens += 1 } }
            hasOpened = true
            identity = opened.node.identity
            sequence.restart()
            lastFrame = nil
            let format = opened.format
            if let asked = request.framesPerSecond, let given = format.framesPerSecond, format.isThinned {
                thinner = FrameThinner(asked: asked, given: given)
            } else {
                thinner = nil
            }
            stream = opened
            feed.tell(.opened(format))
            advance(.opened)
        } catch {
            advance(.refused(error))
        }
    }

    /// At its path; else, where that has gone, at the node under which the same camera has come back.
    private func openAnywhere() throws(DeviceTrouble) -> V4L2Stream {
        do throws(DeviceTrouble) {
            return try V4L2Stream(request.device, request)
        } catch {
            guard error == .absent, let identity else { throw error }
            for path in V4L2Node.neighbours(of: request.device) where path != request.device {
                guard let node = try? V4L2Node(path), node.isSame(as: identity), node.unsuitability == nil else {
                    continue
                }
                return try V4L2Stream(path, request)
            }
            throw error
        }
    }

    /// Everything that the driver has filled.
    private mutating func takeFrames(_ events: Int16) {
        // First: a failed device says that it is readable as well.
        if CInt(events) & (POLLERR | POLLHUP | POLLNVAL) != 0 {
            advance(.failed(trouble(EIO)))
            return
        }
        var taken = 0
        while let current = stream {
            switch current.dequeue() {
            case .success(let filled):
                taken += 1
                let judged = judge(filled, current.format)
                let code = current.queue(filled.index)
                if case .good(let frame) = judged { feed.put(frame) }
                if judged.isWhole { advance(.frame) }
                if code != 0 { advance(.failed(trouble(-code))) }
                if taken > 16 { return }  // let the others in
            case .failure(let error) where error.code == EAGAIN:
                if taken == 0 { usleep(1_000) }  // readable with nothing to read: a realtime thread must not spin
                return
            case .failure(let error):
                advance(.failed(trouble(error.code)))
                return
            }
        }
    }

    /// Of an error while streaming: a pulled plug is reported in several ways.
    private func trouble(_ errno: CInt) -> DeviceTrouble {
        guard let stream, errno != ENODEV else { return .unplugged }
        return stream.node.isPresent ? .failed(errno: errno) : .unplugged
    }
}

extension CameraLoop {
    private enum Judged {
        case good(VideoFrame), thinned, broken

        var isWhole: Bool { if case .broken = self { false } else { true } }
    }

    /// Counts a frame, and copies it if it is to be handed on.
    private mutating func judge(_ filled: V4L2Stream.Filled, _ format: CameraFormat) -> Judged {
        let now = MonotonicClock.now()
        let missing = sequence.advance(to: filled.sequence)
        let interval = lastFrame.map { now - $0 }
        lastFrame = now
        feed.count { statistics in
            statistics.frames += 1
            statistics.missingBySequence += missing
            if let interval { statistics.measure(interval: interval) }
        }
        if filled.isFlagged {
            feed.count { $0.flagged += 1 }
            return .broken
        }
        let verdict =
            format.format == .mjpeg
            ? FrameCheck.jpeg(filled.bytes.bytes) : FrameCheck.raw(filled.bytes.bytes, frameBytes: format.frameBytes)
        switch verdict {
        case .empty:
            feed.count { $0.empty += 1 }
            return .broken
        case .damaged:
            feed.count { $0.damaged += 1 }
            return .broken
        case .whole(let range):
            let nominal = Int64(1e9 / (format.framesPerSecond ?? 10))
            let time = clock.time(stamp: filled.stamp, now: now, interval: nominal)
            if thinner?.takes(time.nanoseconds) == false {
                feed.count { $0.thinned += 1 }
                return .thinned
            }
            return .good(
                VideoFrame(
                    time: time, size: format.size, format: format.format, bytesPerRow: format.bytesPerRow,
                    bytes: Array(filled.bytes[range])))
        }
    }
}

extension CameraStatistics {
    /// Takes in the nanoseconds from one frame to the next.
    fileprivate mutating func measure(interval: Int64) {
        guard interval > 0 else { return }
        let before = measuredFPS > 0 ? 1e9 / measuredFPS : Double(interval)
        measuredFPS = 1e9 / (before + (Double(interval) - before) / 16)
    }
}
