import Foundation
import Kernels
import Speech
import TestSupport
import Whisper

/// Models are loaded once for all tests.
enum RealWhisper {
    static let tinyFloat = load("whisper-tiny.en", .float32)
    static let tinyInt8 = load("whisper-tiny.en", .int8)
    static let baseFloat = load("whisper-base", .float32)
    static let baseInt8 = load("whisper-base", .int8)

    private static func load(_ name: String, _ precision: Precision) -> WhisperModel? {
        RealData.model(name).flatMap { try? WhisperModel(folder: $0, name: name, precision: precision) }
    }

    static let pool = ThreadPool(threads: 2)

    /// The final hypothesis for `samples`, heard in one piece.
    static func hear(
        _ samples: [Float], model: WhisperModel, threads: Int = 2, _ change: (inout WhisperOptions) -> Void = { _ in }
    ) throws -> Hypothesis {
        var options = WhisperOptions()
        options.temperatures = [0]
        change(&options)
        let recogniser = try WhisperRecogniser(
            model: model, options: options, pool: threads == 2 ? pool : ThreadPool(threads: threads))
        recogniser.append(samples)
        return try finish(recogniser, Draft(), samples: samples.count)
    }

    static func finish(_ recogniser: WhisperRecogniser, _ draft: Draft, samples: Int, isFinal: Bool = true) throws
        -> Hypothesis
    {
        recogniser.begin(draft, samples: samples, isFinal: isFinal)
        while true {
            if let hypothesis = try recogniser.advance() { return hypothesis }
        }
    }

    static func jfk() throws -> [Float] { try wavSamples(at: URL(filePath: "\(RealData.samples)/jfk.wav")) }
}
