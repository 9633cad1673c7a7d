import Media

/// A stretch of frames that show the same view.
struct Stillness<View> {
    /// This many frames alike are no accident of the moment: a view, however short.
    static var viewFrames: Int { 4 }

    /// The first frame's view: all others are compared to it, so that a slow movement adds up.
    let anchor: View
    let start: MediaTime
    private(set) var last: View
    private(set) var end: MediaTime
    private(set) var frames = 1
    /// It has settled: whatever is to be told of it is told or waits to be.
    var isSettled = false

    init(_ view: View, at time: MediaTime) {
        (anchor, last) = (view, view)
        (start, end) = (time, time)
    }

    var length: MediaTime { end - start }

    mutating func extend(_ view: View, at time: MediaTime) {
        last = view
        end = time
        frames += 1
    }
}
