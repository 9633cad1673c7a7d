package import Foundation

/// Where tests find what is not in the repository: pulled models and the shared recordings.
package enum RealData {
    package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The folder of a pulled model, if it is there: `$NARRATOR_MODELS`, else the user's cache.
    package static func model(_ name: String) -> String? {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache"
        let store = environment["NARRATOR_MODELS"] ?? "\(cache)/narrator/models"
        let folder = "\(store)/\(name)"
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }

    /// A folder of the shared test data, beside the project or where `NARRATOR_TEST_DATA` says.
    package static func shared(_ path: String) -> String? {
        let base = ProcessInfo.processInfo.environment["NARRATOR_TEST_DATA"] ?? root.path + "/../shared/data"
        let folder = "\(base)/\(path)"
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }

    /// A GGUF file of Gemma 3 270M, with its whole vocabulary and real matrices, if `$NARRATOR_GEMMA_VOCABULARY` names one.
    package static let gemmaFile = ProcessInfo.processInfo.environment["NARRATOR_GEMMA_VOCABULARY"].flatMap {
        FileManager.default.fileExists(atPath: $0) ? $0 : nil
    }
    package static let needsGemmaFile =
        "needs NARRATOR_GEMMA_VOCABULARY: the GGUF file of Tests/TokenizersTests/pull_vocabulary.py"

    package static var samples: String { root.path + "/samples" }

    package static func needsModel(_ name: String) -> String { "needs the model: narrator models pull \(name)" }
}
