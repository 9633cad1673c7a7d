package import Media

/// Decides which views of a camera are told: a state machine without clock, I/O or pixels.
///
/// ```
/// frames ─► stillness: how long like its first frame ─► settled ─► unlike the one told before? ─► waiting ─► told
///              └► left by a cut, after 4 frames at least ──┘             (at most 4, minInterval apart)
/// ```
/// What a view is and how two compare is the caller's: `change` gives 0 for the same view and 1 for nothing in common,
/// `isCut` whether no movement leads from one to the other. All times are stream time, so a fast run tells what a
/// paced one does.
package struct SceneGate<View> {
    package struct Telling {
        /// `first`, `change` or `interval`.
        package let reason: SceneReason
        package let view: View
    }

    /// A flash or a broken frame lasts no longer; a cut is known for one within this many frames.
    private static var cutFrames: Int { 3 }
    /// Views that wait for their turn.
    private static var capacity: Int { 4 }

    package var settings: SceneGateSettings
    private let change: (View, View) -> Float
    private let isCut: (_ old: View, _ new: View) -> Bool

    private var time: MediaTime?
    private var still: Stillness<View>?
    /// The view that was left last, and how many frames ago.
    private var left: (still: Stillness<View>, frames: Int)?
    /// The frames before the current one moved as well.
    private var isMoving = false
    /// How long the view must be still to be settled.
    private var patience: MediaTime
    /// When something settled last, or the stream began.
    private var restingTime = MediaTime.zero
    private var waiting: [View] = []
    private var told: View?
    private var changeTime = MediaTime.zero
    private var repeatTime = MediaTime.zero
    /// Views that waited too long and were never told.
    package private(set) var superseded = 0

    package init(
        _ settings: SceneGateSettings, change: @escaping (View, View) -> Float,
        isCut: @escaping (_ old: View, _ new: View) -> Bool
    ) {
        self.settings = settings
        self.change = change
        self.isCut = isCut
        patience = settings.settle
    }

    /// Goes on by other settings.
    package mutating func adjust(to settings: SceneGateSettings) {
        self.settings = settings
        patience = settings.settle
    }

    /// Takes the next frame; gives what is to be told now, in order.
    package mutating func advance(to time: MediaTime, _ view: View) -> [Telling] {
        keepTime(time)
        follow(view, at: time)
        if time - restingTime >= settings.restless { settle(view, at: time) }
        return tell(view, at: time)
    }

    /// Nothing would come of a frame like this one: it need not be looked at.
    package func mayRest(until time: MediaTime) -> Bool {
        guard let still, let last = self.time, time >= last else { return false }
        return still.isSettled && left == nil && waiting.isEmpty && !isRepeatDue(time)
    }

    /// The view has not moved since the frames before: `advance` would find nothing new.
    package func isStill(_ view: View) -> Bool {
        still.map { change($0.anchor, view) < settings.stillness } ?? false
    }

    /// The stream has ended: what is pending is told now.
    package mutating func finish() -> [Telling] {
        guard let still, let time else { return [] }
        if let left, !left.still.isSettled, isCut(left.still.last, still.last) { settle(left.still.last, at: time) }
        // A single frame after a still view is no view; one of a movement is where the movement ended.
        let isView = still.frames > 1 || isMoving || (told == nil && waiting.isEmpty)
        if !still.isSettled && isView { settle(still.last, at: time) }
        var tellings: [Telling] = []
        while let telling = next(at: time) { tellings.append(telling) }
        return tellings
    }

    /// Frames are missing from here on: what comes next is compared to what was told, not to the frames before.
    package mutating func interrupt() {
        still = nil
        left = nil
        isMoving = false
        patience = settings.settle
        if let time { restingTime = time }
    }

    // MARK: - Stillness

    /// A driver's time may step back; then all that is remembered steps back with it.
    private mutating func keepTime(_ now: MediaTime) {
        if let time, now < time {
            changeTime -= time - now
            repeatTime -= time - now
            restingTime = now
            if let last = still?.last { still = restarted(last, at: now) }
            left = nil
        }
        if time == nil { restingTime = now }
        time = now
    }

    private func restarted(_ view: View, at time: MediaTime) -> Stillness<View> {
        var fresh = Stillness(view, at: time)
        fresh.isSettled = still?.isSettled ?? false
        return fresh
    }

    private mutating func follow(_ view: View, at time: MediaTime) {
        guard var current = still else {
            still = Stillness(view, at: time)
            if settings.settle == .zero { settleStill(at: time) }
            return
        }
        if change(current.anchor, view) < settings.stillness {
            isMoving = false
            current.extend(view, at: time)
            still = current
            if !current.isSettled, current.hasLasted(patience) { settleStill(at: time) }
        } else if var before = left?.still, change(before.anchor, view) < settings.stillness {
            before.extend(view, at: time)  // it was a flash
            still = before
            left = nil
            if !before.isSettled, before.hasLasted(patience) { settleStill(at: time) }
        } else {
            leave(current, for: view, at: time)
        }
        watchCut(to: view, at: time)
    }

    private mutating func settleStill(at time: MediaTime) {
        guard let view = still?.last else { return }
        still?.isSettled = true
        settle(view, at: time)
    }

    private mutating func leave(_ current: Stillness<View>, for view: View, at time: MediaTime) {
        let wasView = current.isSettled || current.frames >= Stillness<View>.viewFrames
        if wasView { left = (current, 0) }
        isMoving = !wasView
        if current.frames > 1, change(current.last, view) < settings.stillness {
            // As long as a pan goes on, it looks still for about as long as before.
            let twice = MediaTime(nanoseconds: current.length.nanoseconds * 2)
            let lately = MediaTime(nanoseconds: patience.nanoseconds * 3 / 4)
            patience = min(max(twice, lately, settings.settle), settings.longestSettle)
        } else {
            patience = settings.settle
        }
        still = Stillness(view, at: time, isAfterMovement: isMoving || !isCut(current.last, view))
        // Without a time to settle, the first frame of a view will do: photographs shown one by one.
        if settings.settle == .zero { settleStill(at: time) }
    }

    /// A view that was left by a cut has settled, however short it was.
    private mutating func watchCut(to view: View, at time: MediaTime) {
        guard var departure = left else { return }
        departure.frames += 1
        left = departure.frames <= Self.cutFrames ? departure : nil
        // The first frame may be a flash.
        if departure.frames > 1, !departure.still.isSettled, isCut(departure.still.last, view) {
            left?.still.isSettled = true
            settle(departure.still.last, at: time)
        }
    }

    // MARK: - Telling

    /// `view` is a settled one; it waits for its turn if it is new.
    private mutating func settle(_ view: View, at time: MediaTime) {
        restingTime = time
        if let before = waiting.last ?? told, change(before, view) < settings.threshold { return }
        waiting.append(view)
        if waiting.count > Self.capacity {
            waiting.removeFirst()
            superseded += 1
        }
    }

    private mutating func tell(_ view: View, at time: MediaTime) -> [Telling] {
        let isDue = told == nil || time - changeTime >= settings.minInterval
        if isDue, let telling = next(at: time) { return [telling] }
        guard isRepeatDue(time) else { return [] }
        let following = repeatTime + settings.repeatEvery
        repeatTime = following > time ? following : time + settings.repeatEvery
        return [Telling(reason: .interval, view: view)]
    }

    /// The next of the waiting views. Without those between them, two that waited may be the same.
    private mutating func next(at time: MediaTime) -> Telling? {
        while !waiting.isEmpty {
            let view = waiting.removeFirst()
            if let told, change(told, view) < settings.threshold { continue }
            let reason: SceneReason = told == nil ? .first : .change
            told = view
            changeTime = time
            repeatTime = time + settings.repeatEvery
            return Telling(reason: reason, view: view)
        }
        return nil
    }

    private func isRepeatDue(_ time: MediaTime) -> Bool {
        settings.repeatEvery > .zero && told != nil && time >= repeatTime
    }
}
