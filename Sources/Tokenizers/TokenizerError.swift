/// What can be wrong with the files of a tokenizer.
package enum TokenizerError: Error, Equatable {
    case notFound(folder: String, files: [String])
    case damaged(path: String, what: String)
    case noSuchToken(name: String)
}

extension TokenizerError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let folder, let files):
            "No \(files.joined(separator: " or ")) in '\(folder)'. Give the folder of a model, or pull the model again."
        case .damaged(let path, let what):
            "'\(path)' is not what a tokenizer needs: \(what). Pull the model again."
        case .noSuchToken(let name):
            "The vocabulary has no token '\(name)'. Is it of the model you named?"
        }
    }
}
