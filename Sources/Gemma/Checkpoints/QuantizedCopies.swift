package import Foundation
internal import Glibc
package import Kernels
import Weights

/// Quantised copies of models that are not files of our own, made once and mapped from then on.
///
/// A copy is known by the model's path and by what its files were when it was made; when they change, it is made anew and
/// the old one goes. Small models are quantised in memory each time: that takes less than looking after a copy.
package struct QuantizedCopies {
    /// Numbers of the largest model that gets no copy.
    private static let smallModel = 64 << 20

    private let folder: URL

    /// - Parameter folder: Where copies lie; made when the first one is.
    package init(folder: URL) { self.folder = folder }

    /// The model as it can be run without quantising it: itself, or its copy.
    ///
    /// - Parameters:
    ///   - willCopy: Called before a copy is made.
    ///   - progress: While it is.
    /// - Throws: `GemmaError`, `WeightsError`, `TokenizerError`, what `progress` throws.
    package func open(
        _ model: GemmaModel, format: QuantizedFormat, pool: ThreadPool, willCopy: () -> Void = {},
        progress: (GemmaQuantizer.Progress) throws -> Void = { _ in }
    ) throws -> GemmaModel {
        guard model.form != .container, model.parameters > Self.smallModel else { return model }
        let files = model.checkpoint.files.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
        let name = (files[0] as NSString).lastPathComponent
        let family = "\(name)-\(digest(files[0]))-"
        let copy = folder.appendingPathComponent("\(family)\(digest(try stamps(files)))-\(format.rawValue).gguf")
        if FileManager.default.fileExists(atPath: copy.path), let made = try? GemmaModel(copy.path) { return made }
        willCopy()
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try GemmaQuantizer(model, to: format).write(to: copy.path, pool: pool, progress: progress)
        let others = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for old in others where old.hasPrefix(family) && old != copy.lastPathComponent {
            guard old.hasSuffix("-\(format.rawValue).gguf") || Self.isAbandoned(old) else { continue }
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(old))
        }
        return try GemmaModel(copy.path)
    }

    /// A file that `GGUFWriter` was writing when its process was ended.
    private static func isAbandoned(_ name: String) -> Bool {
        guard let mark = name.range(of: ".gguf.part-"), let process = pid_t(name[mark.upperBound...]) else {
            return false
        }
        return kill(process, 0) != 0 && errno == ESRCH
    }

    /// What changes when files do.
    private func stamps(_ files: [String]) throws -> String {
        try files.map { file in
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            let changed = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return "\(file) \(attributes[.size] ?? 0) \(changed)"
        }.joined(separator: "\n") + "\n\(GemmaContainer.version)"
    }

    /// FNV-1a in hexadecimal: tells files apart, keeps no secrets.
    private func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16)
    }
}
