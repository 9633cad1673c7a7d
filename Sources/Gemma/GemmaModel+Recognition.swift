import Foundation
import Weights

extension GemmaModel {
    /// Whether a path looks like a Gemma 3n in one of the forms we read: by its names and headers, not by its tensors.
    package static func recognises(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return false }
        if !isFolder.boolValue { return path.lowercased().hasSuffix(".gguf") }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        if names.contains(where: { $0.lowercased().hasSuffix(".gguf") }) { return true }
        let file = (path as NSString).appendingPathComponent("config.json")
        guard let values = try? ConfigReader.values(file: file), case .text(let kind)? = values["model_type"] else {
            return false
        }
        return kind.hasPrefix("gemma3n")
    }
}
