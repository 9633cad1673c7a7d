import Foundation
package import Kernels
package import Weights

/// A checkpoint compared with a goldens file of `make_checkpoint.py`.
package struct GemmaVerification: Encodable, Sendable {
    package struct Result: Encodable, Sendable {
        package let name: String
        /// Nil when something compared is no number. Of texts: how many differ.
        package let maxAbsError: Float?
        package let bound: Float
        package let ok: Bool

        enum CodingKeys: String, CodingKey {
            case name, bound, ok
            case maxAbsError = "max_abs_error"
        }

        init(_ name: String, _ error: Float?, bound: Float) {
            (self.name, self.bound, maxAbsError) = (name, bound, error)
            ok = error.map { $0 <= bound } ?? false
        }
    }

    package private(set) var results: [Result] = []
    /// Goldens that nothing here can run yet.
    package private(set) var unchecked: [String] = []

    package var isGood: Bool { results.allSatisfy(\.ok) }

    /// Given, not compared.
    private static let inputs: Set<String> = [
        "text.ids", "audio.waveform", "audio_batch.lengths", "e2e.prompt_ids"
    ]

    /// - Parameters:
    ///   - folder: A checkpoint in Hugging Face form.
    ///   - goldens: Of the same checkpoint.
    /// - Throws: `GemmaError`, `WeightsError`, `TokenizerError`.
    package init(folder: String, goldens: Checkpoint, pool: ThreadPool) throws {
        let model = try GemmaModel(folder)
        try compareText(model, with: goldens, pool: pool)
        try compareAudio(model, with: goldens, pool: pool)
        try compareVision(model, with: goldens, pool: pool)
        try compareWhole(model, with: goldens, pool: pool)
        let done = Set(results.map(\.name))
        unchecked = goldens.names.filter { !done.contains($0) && !Self.inputs.contains($0) && !Self.isVisionInput($0) }
        guard !results.isEmpty else {
            throw GemmaError.badTensors(file: goldens.path, reason: "it holds no goldens of a Gemma 3n")
        }
    }

    /// Compares a golden of that name; does nothing if there is none.
    mutating func compare(
        _ name: String, _ values: [Float], with goldens: Checkpoint, bound: Float
    ) throws {
        guard goldens.entry(name) != nil else { return }
        let wanted = try goldens.floats(name, shape: goldens.shape(of: name))
        guard wanted.count == values.count else {
            throw GemmaError.badTensors(
                file: goldens.path, reason: "\(name) has \(wanted.count) values, and \(values.count) here")
        }
        var worst: Float? = 0
        for (value, golden) in zip(values, wanted) {
            let error = abs(value - golden)
            worst = error.isFinite ? worst.map { max($0, error) } : nil
        }
        add(Result(name, worst, bound: bound))
    }

    mutating func add(_ result: Result) { results.append(result) }

    static func integers(_ goldens: Checkpoint, _ name: String) throws -> [Int] {
        guard let entry = goldens.entry(name), entry.type == .int64 else {
            throw GemmaError.badTensors(file: goldens.path, reason: "\(name) is not of 64-bit integers")
        }
        return try goldens.bytes(name).withUnsafeBytes { bytes in
            (0..<entry.count).map {
                Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)))
            }
        }
    }
}
