import Foundation
import Kernels
import Signal
import Weights

extension GemmaVerification {
    private static let audioBound: Float = 1e-4
    /// Of `audio_cut`: a sound whose last token lacks its look-ahead.
    private static let cutSamples = 11_000
    private static let maxSamples = 480_000  // the reference hears 30 s

    /// Everything that the audio encoder does with `audio.waveform`.
    mutating func compareAudio(_ model: GemmaModel, with goldens: Checkpoint, pool: ThreadPool) throws {
        guard let entry = goldens.entry("audio.waveform") else { return }
        guard (1...Self.maxSamples).contains(entry.count) else {
            throw GemmaError.badTensors(file: goldens.path, reason: "audio.waveform has \(entry.count) samples")
        }
        let wave = try goldens.floats("audio.waveform", shape: [entry.count])
        let encoder = GemmaAudioEncoder(weights: try model.audioWeights(), pool: pool)
        try compareSound(AudioRun(wave, encoder), encoder.weights, with: goldens)
        if goldens.entry("audio_batch.lengths") != nil { try compareBatch(wave, encoder, with: goldens) }
        let cut = AudioRun(Array(wave.prefix(Self.cutSamples)), encoder)
        try compare("audio_cut.output", cut.trace.outputs, with: goldens, bound: Self.audioBound)
    }

    private mutating func compareSound(
        _ run: AudioRun, _ weights: GemmaAudioWeights, with goldens: Checkpoint
    ) throws {
        let (trace, bound) = (run.trace, Self.audioBound)
        try compare("audio.mel", trace.mel, with: goldens, bound: bound)
        for (name, values, index) in [("audio.conv0", trace.first, 0), ("audio.conv1", trace.second, 1)] {
            let turned = Self.channelsFirst(values, channels: weights.config.channels[index])
            try compare(name, turned, with: goldens, bound: bound)
        }
        try compare("audio.subsample", trace.frames, with: goldens, bound: bound)
        for (index, layer) in trace.layers.enumerated() {
            try compare("audio.layer\(index)", layer, with: goldens, bound: bound)
        }
        try compare("audio.output", trace.outputs, with: goldens, bound: bound)
        try compareFlags("audio.output_padded", run.tokensAreReal.map { !$0 }, with: goldens)
        try compare("audio.projected", run.tokens, with: goldens, bound: bound)
    }

    /// The waveform's beginnings side by side, filled up with zeros to the length of the longest.
    private mutating func compareBatch(
        _ wave: [Float], _ encoder: GemmaAudioEncoder, with goldens: Checkpoint
    ) throws {
        let lengths = try Self.integers(goldens, "audio_batch.lengths")
        guard (1...64).contains(lengths.count), lengths.allSatisfy({ (0...wave.count).contains($0) }) else {
            throw GemmaError.badTensors(file: goldens.path, reason: "audio_batch.lengths do not fit audio.waveform")
        }
        let multiple = encoder.weights.mel.endMultiple
        let longest = ((lengths.max() ?? 0) + multiple - 1) / multiple * multiple
        let runs = lengths.map { AudioRun(Array(wave.prefix($0)), encoder, paddedTo: longest) }
        let (width, textWidth) = (encoder.weights.config.width, encoder.weights.textWidth)
        try compare("audio_batch.mel", runs.flatMap(\.trace.mel), with: goldens, bound: Self.audioBound)
        try compareFlags("audio_batch.mel_valid", runs.flatMap(\.melIsReal), with: goldens)
        try compareFlags("audio_batch.output_padded", runs.flatMap(\.tokensAreReal).map { !$0 }, with: goldens)
        let outputs = runs.flatMap { $0.real($0.trace.outputs, width: width) }
        try compare("audio_batch.output", outputs, with: goldens, bound: Self.audioBound)
        let projected = runs.flatMap { $0.real($0.tokens, width: textWidth) }
        try compare("audio_batch.projected", projected, with: goldens, bound: Self.audioBound)
    }

    /// How many of some flags, a byte each, are wrong.
    private mutating func compareFlags(_ name: String, _ flags: [Bool], with goldens: Checkpoint) throws {
        guard let entry = goldens.entry(name) else { return }
        guard entry.count == flags.count, entry.byteRange.count == flags.count else {
            throw GemmaError.badTensors(
                file: goldens.path, reason: "\(name) has \(entry.count) values, and \(flags.count) here")
        }
        let wrong = try goldens.bytes(name).withUnsafeBytes { bytes in
            zip(bytes, flags).count { ($0 != 0) != $1 }
        }
        add(Result(name, Float(wrong), bound: 0))
    }

    /// [rows, bins, channels] to [channels, rows, bins].
    private static func channelsFirst(_ values: [Float], channels: Int) -> [Float] {
        (0..<channels).flatMap { channel in stride(from: channel, to: values.count, by: channels).map { values[$0] } }
    }
}

/// A sound that went through the encoder as a whole, and which parts of the result come from it and not from padding.
private struct AudioRun {
    let trace: GemmaAudioTrace
    let tokens: [Float]
    /// Per mel frame: it begins within the sound.
    let melIsReal: [Bool]
    let tokensAreReal: [Bool]

    init(_ wave: [Float], _ encoder: GemmaAudioEncoder, paddedTo length: Int = 0) {
        let (mel, config) = (encoder.weights.mel, encoder.weights.config)
        trace = GemmaAudioTrace(layers: config.layers)
        let padding = max(0, length - wave.count)
        let frames = mel.frames(ofSamples: wave.count + padding)
        let stream = encoder.makeStream(frames: frames / Subsampling.stride + 1)
        stream.trace = trace
        stream.append(wave.span)
        stream.finish(paddingSamples: padding)
        while stream.advance() {}
        tokens = stream.takeTokens()?.array ?? []
        let real = (0..<frames).map { $0 * mel.hopSamples < wave.count }
        melIsReal = real
        tokensAreReal = (0..<stream.tokenCount).map { real[$0 * config.reduction * Subsampling.stride] }
    }

    /// Rows of tokens, those of padding all zero.
    func real(_ rows: [Float], width: Int) -> [Float] {
        rows.indices.map { tokensAreReal[$0 / width] ? rows[$0] : 0 }
    }
}
