import Capture
package import Media
import Signal
package import Silero
package import Speech

/// What a recording says.
package struct FileTranscript: Sendable {
    package var language: String
    package var text: String
    package var segments: [TranscriptSegment]
    /// Length of the recording.
    package var audio: MediaTime
    /// What a listener should know of the file; nil: nothing.
    package var remark: String?
}

/// Transcribes whole files: speech found by the VAD is packed into windows as long as the model allows.
///
/// ```
/// file ─► one channel, 16 kHz ─► speech probability ─► Endpointer ─► WindowPacker ─► Recogniser ─► words ─► segments
/// ```
/// Sound is held only as long as an open window needs it, so the length of a recording does not matter.
package final class FileTranscriber {
    private let recogniser: any Recogniser<[Float]>
    private let vad: SileroWeights?
    private let keepsWhole: Bool
    private let rateHz = 16_000

    /// - Parameters:
    ///   - vad: nil takes everything for speech.
    ///   - keepsWhole: A recording that fits into one window and holds speech is heard from its begin to its end, as models
    ///     that were trained on whole clips like it.
    package init(recogniser: any Recogniser<[Float]>, vad: SileroWeights?, keepsWhole: Bool = false) {
        self.recogniser = recogniser
        self.vad = vad
        self.keepsWhole = keepsWhole
    }

    /// - Throws: `CaptureError` for a file that can't be read, or what the recogniser throws.
    package func transcribe(_ path: String) throws -> FileTranscript {
        var file = try AudioFile(path: path)
        var reading = Reading(
            rateHz: rateHz, maxSamples: recogniser.maxSamples, vad: vad.map(SileroVAD.init(weights:)),
            keepsWhole: keepsWhole)
        var words: [Word] = []
        var languages: [String: Int] = [:]
        var frames = 0
        var chain: SpeechChain?
        func recognise(_ windows: [Window]) throws {
            for window in windows {
                let hypothesis = try hear(window)
                guard hypothesis.verdict == .speech else { continue }
                languages[hypothesis.language, default: 0] += window.samples.count
                let offset = MediaTime(samples: window.start, rateHz: rateHz)
                words += hypothesis.words.map { $0.shifted(by: offset) }
            }
        }
        while true {
            let samples = try file.read(maxFrames: max(1, file.rateHz / 2))
            if samples.isEmpty { break }
            let block = AudioBlock(
                time: MediaTime(samples: frames, rateHz: file.rateHz), rateHz: file.rateHz, channels: file.channels,
                samples: samples)
            frames += block.frames
            let open = try chain ?? SpeechChain(rateHz: rateHz, policy: .mix, like: block)
            chain = open
            try recognise(reading.step(open.step(block)))
        }
        try recognise(reading.step(chain?.finish() ?? []))
        try recognise(reading.finish())
        let language = languages.max { $0.value < $1.value || ($0.value == $1.value && $0.key > $1.key) }?.key
        return FileTranscript(
            language: language ?? recogniser.defaultLanguage, text: StreamingTranscript.shown(words),
            segments: TranscriptSegment.segments(of: words), audio: MediaTime(samples: frames, rateHz: file.rateHz),
            remark: file.earlyEnd?.description)
    }

    private func hear(_ window: Window) throws -> Hypothesis {
        recogniser.reset()
        recogniser.append(window.samples)
        recogniser.begin(Draft(), samples: window.samples.count, isFinal: true)
        while true {
            if let hypothesis = try recogniser.advance() { return hypothesis }
        }
    }
}

/// Sound of the recording from sample `start`.
private struct Window {
    var start: Int
    var samples: [Float]
}

/// Cuts mono sound into windows as it comes.
private struct Reading {
    private let maxSamples: Int
    private let vad: SileroVAD?
    private var endpointer: Endpointer
    private var packer: WindowPacker
    private var held: [Float] = []
    /// Position of the first held sample.
    private var heldFrom = 0
    private var utteranceStart = 0
    /// Windows of a recording that may still fit into one; nil once it does not.
    private var early: [Window]?

    init(rateHz: Int, maxSamples: Int, vad: SileroVAD?, keepsWhole: Bool) {
        self.maxSamples = maxSamples
        early = keepsWhole && vad != nil ? [] : nil
        self.vad = vad
        var settings = EndpointerSettings()
        settings.max = MediaTime(samples: maxSamples - rateHz, rateHz: rateHz)
        endpointer = Endpointer(settings: settings, rateHz: rateHz)
        packer = WindowPacker(maxSamples: maxSamples, maxGapSamples: 2 * rateHz)
    }

    private var position: Int { heldFrom + held.count }

    mutating func step(_ samples: [Float]) -> [Window] {
        let windows = advance(samples)
        guard let early else { return windows }
        self.early = early + windows
        if position <= maxSamples { return [] }
        defer { self.early = nil }
        return early + windows
    }

    mutating func finish() -> [Window] {
        let windows = (early ?? []) + end()
        return early == nil || windows.isEmpty ? windows : [window(0..<position)]
    }

    private mutating func advance(_ samples: [Float]) -> [Window] {
        held += samples
        guard let vad else { return cutByLevel(atEnd: false) }
        var windows: [Window] = []
        while position - endpointer.position >= SileroVAD.chunkSamples {
            let from = endpointer.position - heldFrom
            let probability = vad.probability(of: held.span.extracting(from..<from + SileroVAD.chunkSamples))
            take(
                endpointer.advance(to: endpointer.position + SileroVAD.chunkSamples, probability: probability), &windows
            )
            if !endpointer.isOpen, let range = packer.advance(to: endpointer.horizon) { windows.append(window(range)) }
        }
        if early == nil {
            forget(before: min(packer.neededFrom ?? .max, endpointer.isOpen ? utteranceStart : endpointer.horizon))
        }
        return windows
    }

    private mutating func end() -> [Window] {
        guard let vad else { return cutByLevel(atEnd: true) }
        var windows: [Window] = []
        let rest = position - endpointer.position
        if rest > 0 {
            let chunk = Array(held.suffix(rest)) + [Float](repeating: 0, count: SileroVAD.chunkSamples - rest)
            take(endpointer.advance(to: position, probability: vad.probability(of: chunk.span)), &windows)
        }
        take(endpointer.end(.end), &windows)
        if let range = packer.finish() { windows.append(window(range)) }
        return windows
    }

    private mutating func take(_ actions: [Endpointer.Action], _ windows: inout [Window]) {
        for action in actions {
            switch action {
            case .began(let start, _): utteranceStart = start
            case .paused: break
            case .ended(_, let end, _):
                if let range = packer.add(utteranceStart..<end) { windows.append(window(range)) }
            }
        }
    }

    private func window(_ range: Range<Int>) -> Window {
        Window(start: range.lowerBound, samples: Array(held[range.lowerBound - heldFrom..<range.upperBound - heldFrom]))
    }

    private mutating func cutByLevel(atEnd: Bool) -> [Window] {
        var windows: [Window] = []
        while held.count > maxSamples || (atEnd && !held.isEmpty) {
            let count =
                held.count > maxSamples ? QuietCut.position(in: held.span.extracting(0..<maxSamples)) : held.count
            windows.append(window(heldFrom..<heldFrom + count))
            forget(before: heldFrom + count)
        }
        return windows
    }

    /// Lets go of sound that nothing needs, in large strides.
    private mutating func forget(before needed: Int) {
        let count = min(needed - heldFrom, held.count)
        guard count > 160_000 || (vad == nil && count > 0) else { return }
        held.removeFirst(count)
        heldFrom += count
    }
}
