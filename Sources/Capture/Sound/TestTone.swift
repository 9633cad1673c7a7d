import Glibc
package import Media

/// A mono sine: `test_tone`.
package struct TestTone: SoundSource {
    package static let frequencyHz = 440

    private let rateHz: Int
    private let amplitude: Float
    private let frames: Int?
    private let pace: Pace
    private let blockFrames: Int
    private var framesOut = 0

    /// - Parameters:
    ///   - amplitude: of the sine, 0...1.
    ///   - duration: nil never ends.
    /// - Throws: `formatAbsurd`.
    package init(
        rateHz: Int = 16_000, amplitude: Float = 0.5, duration: MediaTime? = nil, pace: Pace = .realtime,
        blockMilliseconds: Int = 40
    ) throws(CaptureError) {
        guard SoundLimits.rateHz.contains(rateHz) else {
            throw .formatAbsurd(AudioFormat(rateHz: rateHz, channels: 1, sampleFormat: .float32))
        }
        self.rateHz = rateHz
        self.amplitude = amplitude
        self.pace = pace
        frames = duration?.samples(rateHz: rateHz)
        blockFrames = max(1, rateHz * blockMilliseconds / 1_000)
    }

    package mutating func next() -> SoundPull {
        let count = min(blockFrames, frames.map { $0 - framesOut } ?? blockFrames)
        guard count > 0 else { return .ended }
        let samples = (framesOut..<framesOut + count).map { frame in
            // Whole periods are taken out first: the phase stays exact however long the tone.
            let phase = Double(frame * Self.frequencyHz % rateHz) / Double(rateHz)
            return amplitude * Float(sin(2 * .pi * phase))
        }
        let time = MediaTime(samples: framesOut, rateHz: rateHz)
        framesOut += count
        let block = AudioBlock(time: time, rateHz: rateHz, channels: 1, samples: samples)
        return .block(block, due: pace.due(block))
    }
}
