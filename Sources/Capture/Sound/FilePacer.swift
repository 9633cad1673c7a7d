import Media

/// A sound file as a source: `audio_file`.
package struct FilePacer: ~Copyable, SoundSource {
    private var file: AudioFile
    private let pace: Pace
    private let loops: Bool
    private let blockFrames: Int
    private var framesOut = 0

    /// - Parameters:
    ///   - file: read from where it stands.
    ///   - loops: starts over at the end; stream time goes on.
    ///   - blockMilliseconds: the length of all blocks but the last of a pass.
    package init(file: consuming AudioFile, pace: Pace, loops: Bool = false, blockMilliseconds: Int = 40) {
        blockFrames = max(1, file.rateHz * blockMilliseconds / 1_000)
        self.file = file
        self.pace = pace
        self.loops = loops
    }

    package var remark: String? { file.earlyEnd?.description }

    package mutating func next() throws(CaptureError) -> SoundPull {
        var samples = try file.read(maxFrames: blockFrames)
        if samples.isEmpty && loops && file.position > 0 {
            try file.rewind()
            samples = try file.read(maxFrames: blockFrames)
        }
        guard !samples.isEmpty else { return .ended }
        let time = MediaTime(samples: framesOut, rateHz: file.rateHz)
        let block = AudioBlock(time: time, rateHz: file.rateHz, channels: file.channels, samples: samples)
        framesOut += block.frames
        return .block(block, due: pace.due(block))
    }
}
