/// A run of sound as it travels through the graph.
package struct AudioBlock: Sendable {
    /// Stream time of the first frame.
    package var time: MediaTime
    package var rateHz: Int
    package var channels: Int
    /// [frames × channels], interleaved, nominally -1...1; always finite.
    package var samples: [Float]
    /// Sound that was lost immediately before this block (an overrun, an unplugged device); zero if none.
    package var lostBefore: MediaTime

    package init(time: MediaTime, rateHz: Int, channels: Int, samples: [Float], lostBefore: MediaTime = .zero) {
        precondition(rateHz > 0 && channels > 0 && samples.count % channels == 0, "\(samples.count) / \(channels)")
        self.time = time
        self.rateHz = rateHz
        self.channels = channels
        self.samples = samples
        self.lostBefore = lostBefore
    }

    package var frames: Int { samples.count / channels }
    package var duration: MediaTime { MediaTime(samples: frames, rateHz: rateHz) }
    package var end: MediaTime { time + duration }
}
