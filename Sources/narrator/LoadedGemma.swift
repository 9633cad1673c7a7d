import ArgumentParser
import Catalog
import Foundation
import Gemma
import Kernels

enum WeightFormat: String, ExpressibleByArgument, CaseIterable {
    case q4, q8, f32

    var quantized: QuantizedFormat? {
        switch self {
        case .q4: .q4
        case .q8: .q8
        case .f32: nil
        }
    }
}

/// A Gemma with its text weights, as commands use it.
struct LoadedGemma {
    let model: GemmaModel
    let weights: GemmaTextWeights

    /// A large model that is not quantised yet is so once; the copy lies in the store.
    /// - Parameters:
    ///   - wished: Nil: as a quantised file has them, else q8.
    ///   - slice: In the words of `GemmaSlice`.
    init(_ path: String, weights wished: WeightFormat?, slice: String?, pool: ThreadPool, isQuiet: Bool) throws {
        let given = try GemmaModel(path)
        let slice = try slice.map { text in try GemmaSlice(text, of: given.config.text) }
        guard given.form != .container || wished != .f32 else {
            throw CommandFailure(
                .usage, "'\(path)' is quantised: --weights f32 needs the checkpoint it was made of.")
        }
        if given.form == .container || wished == .f32 {
            model = given
            weights = try given.textWeights(format: wished?.quantized, slice: slice)
            return
        }
        let format = wished?.quantized ?? .q8
        model = try Self.quantized(given, format, pool: pool, isQuiet: isQuiet)
        weights = try model.textWeights(format: format, slice: slice)
    }

    private static func quantized(
        _ model: GemmaModel, _ format: QuantizedFormat, pool: ThreadPool, isQuiet: Bool
    ) throws -> GemmaModel {
        let folder = ModelStore.standard().root.appendingPathComponent(".quantized")
        var progress = WorkProgress(quiet: isQuiet)
        defer { progress.clear() }
        return try QuantizedCopies(folder: folder).open(
            model, format: format, pool: pool,
            willCopy: {
                if isQuiet { return }
                writeError(
                    "narrator: quantising '\(model.path)' to \(format.rawValue), once; the copy is kept in the store.\n"
                )
            },
            progress: { progress.draw($0.tensor, $0.bytesDone, $0.bytes) })
    }
}
