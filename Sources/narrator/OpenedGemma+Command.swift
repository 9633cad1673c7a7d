import ArgumentParser
import Catalog
import Foundation
import Gemma
import Kernels

extension GemmaWeightFormat: ExpressibleByArgument {}

extension OpenedGemma {
    /// A Gemma as commands open it: the work of quantising one, once, is shown.
    convenience init(_ path: String, weights: GemmaWeightFormat?, pool: ThreadPool, isQuiet: Bool) throws {
        var progress = WorkProgress(quiet: isQuiet)
        defer { progress.clear() }
        try self.init(
            path, name: path, weights: weights,
            copies: Copies(
                folder: ModelStore.standard().root.appendingPathComponent(".quantized"),
                willCopy: { model, format in
                    if isQuiet { return }
                    writeError(
                        "narrator: quantising '\(model.path)' to \(format.rawValue), once; the copy is kept in the store.\n"
                    )
                },
                progress: { progress.draw($0.tensor, $0.bytesDone, $0.bytes) }),
            pool: pool)
    }
}
