import Foundation

/// The tokens of a model by id, in the spelling of byte-level BPE, kept as the file's bytes and where each begins.
struct Vocabulary: Sendable {
    static let fileNames = ["vocabulary.txt", "vocabulary.json"]

    private let spellings: [UInt8]  // one after the other, UTF-8
    private let starts: [Int]  // [count + 1]
    /// Names in `<|…|>`, with their ids.
    let specials: [String: Int]

    /// - Throws: `TokenizerError` when neither file is there or it is not UTF-8 or not a list of texts.
    init(folder: String) throws(TokenizerError) {
        let paths = Self.fileNames.map { (folder as NSString).appendingPathComponent($0) }
        if let data = FileManager.default.contents(atPath: paths[0]) {
            try self.init(lines: [UInt8](data), path: paths[0])
        } else if let data = FileManager.default.contents(atPath: paths[1]) {
            let tokens: [String]
            do {
                tokens = try JSONDecoder().decode([String].self, from: data)
            } catch {
                throw .damaged(path: paths[1], what: "it is not a JSON list of texts")
            }
            try self.init(tokens: tokens, path: paths[1])
        } else {
            throw .notFound(folder: folder, files: Self.fileNames)
        }
    }

    /// One token a line. Lines end in LF only: a token may hold anything else that Unicode calls a line break, and an
    /// empty line is a token too (one id of the multilingual vocabulary is never used).
    private init(lines: [UInt8], path: String) throws(TokenizerError) {
        var spellings: [UInt8] = []
        spellings.reserveCapacity(lines.count)
        var starts = [0]
        for line in lines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            spellings.append(contentsOf: line)
            starts.append(spellings.count)
        }
        if lines.isEmpty || lines.last == UInt8(ascii: "\n") { starts.removeLast() }  // what follows the last line break
        try self.init(spellings: spellings, starts: starts, path: path)
    }

    private init(tokens: [String], path: String) throws(TokenizerError) {
        var spellings: [UInt8] = []
        var starts = [0]
        for token in tokens {
            spellings.append(contentsOf: token.utf8)
            starts.append(spellings.count)
        }
        try self.init(spellings: spellings, starts: starts, path: path)
    }

    private init(spellings: [UInt8], starts: [Int], path: String) throws(TokenizerError) {
        guard starts.count > 1 else { throw .damaged(path: path, what: "it is empty") }
        self.spellings = spellings
        self.starts = starts
        var specials: [String: Int] = [:]
        for id in 0..<(starts.count - 1) {
            let token = spellings[starts[id]..<starts[id + 1]]
            guard Self.isSpecial(token) else { continue }
            guard let name = String(validating: token, as: UTF8.self), specials.updateValue(id, forKey: name) == nil
            else { throw .damaged(path: path, what: "line \(id + 1) is not UTF-8, or repeats an earlier one") }
        }
        self.specials = specials
    }

    var count: Int { starts.count - 1 }

    /// The spelling of a token; empty for an id beyond the vocabulary.
    func spelling(of id: Int) -> ArraySlice<UInt8> {
        (0..<count).contains(id) ? spellings[starts[id]..<starts[id + 1]] : []
    }

    func isSpecial(_ id: Int) -> Bool { Self.isSpecial(spelling(of: id)) }

    private static func isSpecial(_ token: ArraySlice<UInt8>) -> Bool {
        token.count > 4 && token.starts(with: "<|".utf8) && token.suffix(2).elementsEqual("|>".utf8)
    }
}
