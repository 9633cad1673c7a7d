import Foundation

extension GemmaTokenizer {
    private static let maxFileBytes = 256 << 20  // Gemma's has 33 MB

    /// Reads `tokenizer.json` in `folder`.
    /// - Throws: `TokenizerError` when it is missing, damaged, or of another kind than Gemma's.
    package init(folder: String) throws(TokenizerError) {
        let file = (folder as NSString).appendingPathComponent("tokenizer.json")
        let path = URL(fileURLWithPath: file).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        // A pipe or a device would block or never end.
        guard attributes?[.type] as? FileAttributeType == .typeRegular, let size = attributes?[.size] as? Int else {
            throw .notFound(folder: folder, files: ["tokenizer.json"])
        }
        guard size <= Self.maxFileBytes else { throw .damaged(path: file, what: "it is \(size >> 20) MB large") }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .notFound(folder: folder, files: ["tokenizer.json"])
        }
        try self.init(json: [UInt8](data), source: file)
    }

    /// - Parameters:
    ///   - json: A whole `tokenizer.json`.
    ///   - source: What messages name.
    /// - Throws: `TokenizerError.damaged`.
    package init(json: [UInt8], source: String) throws(TokenizerError) {
        let file = GemmaJSON(json, source: source)
        let members = try file.members(of: 0..<json.count)
        try file.require("normalizer", of: members, GemmaSettings.blanksBecomeMarks)
        try file.require("pre_tokenizer", of: members, GemmaSettings.splitsAtBlanksOrNot)
        guard let modelRange = members["model"] else { throw file.damaged("it has no 'model'") }
        let model = try file.members(of: modelRange)
        for (key, allowed) in GemmaSettings.model {
            guard let range = model[key] else { continue }
            let value = String(decoding: json[range], as: UTF8.self)
            if !allowed.contains(value) {
                throw file.damaged("\(key) is \(value.prefix(20)), Gemma's is \(allowed[0])")
            }
        }
        guard let vocabulary = model["vocab"], let merges = model["merges"] else {
            throw file.damaged("it has no 'vocab' or no 'merges'")
        }

        var pieces = GemmaPieces(capacity: vocabulary.count / 24)
        try file.forEachCount(in: vocabulary) { spelling, id throws(TokenizerError) in
            let isByte = spelling.count == 6 && spelling.starts(with: "<0x".utf8)
            if let problem = pieces.add(spelling, id: id, kind: isByte ? .byte : .normal) {
                throw file.damaged(problem)
            }
        }
        if let range = members["added_tokens"] {
            for token in try file.decode([AddedToken].self, range, "added_tokens") {
                if let problem = token.add(to: &pieces) { throw file.damaged(problem) }
            }
        }
        var builder = try GemmaTokenizerBuilder(pieces, mergeCount: merges.count / 36, source: source)
        try file.forEachPair(in: merges) { left, right, rank throws(TokenizerError) in
            try builder.merge(left, right, rank: rank)
        }
        try self.init(builder)
    }
}

private struct AddedToken: Decodable {
    let id: Int
    let content: String
    let special: Bool?
    let normalized: Bool?
    let single_word: Bool?
    let lstrip: Bool?
    let rstrip: Bool?

    /// - Returns: What is wrong, or nil.
    func add(to pieces: inout GemmaPieces) -> String? {
        let spelling = Array(content.utf8)
        let name = "the added token '\(content.prefix(40))'"
        if spelling.isEmpty { return "an added token is empty" }
        if single_word == true || lstrip == true || rstrip == true { return "\(name) swallows what is around it" }
        if normalized == true, spelling.contains(UInt8(ascii: " ")) || content.unicodeScalars.contains("\u{2581}") {
            return "\(name) is looked for behind the spelling of blanks"
        }
        let kind = special == true ? GemmaPieces.Kind.special : .added
        guard let known = pieces.id(of: spelling) else { return pieces.add(spelling, id: id, kind: kind) }
        guard known == id, pieces.kind(id) != .byte else { return "\(name) is token \(known), not \(id)" }
        pieces.setKind(kind, of: id)
        return nil
    }
}

/// What a tokenizer.json of another kind would say otherwise: read as Gemma's it would give wrong tokens.
private enum GemmaSettings {
    static let model: [(String, [String])] = [
        ("type", ["\"BPE\""]), ("byte_fallback", ["true"]), ("ignore_merges", ["false", "null"]),
        ("dropout", ["null"]), ("continuing_subword_prefix", ["null", "\"\""]), ("end_of_word_suffix", ["null", "\"\""])
    ]

    struct Rule: Decodable {
        struct Pattern: Decodable { let String: String? }
        let type: String
        let pattern: Pattern?
        let content: String?
    }

    static func blanksBecomeMarks(_ rule: Rule?) -> Bool {
        rule?.type == "Replace" && rule?.pattern?.String == " " && rule?.content == "\u{2581}"
    }

    /// Behind the normaliser there are no blanks left to split at.
    static func splitsAtBlanksOrNot(_ rule: Rule?) -> Bool {
        rule == nil || (rule?.type == "Split" && rule?.pattern?.String == " ")
    }
}

extension GemmaJSON {
    fileprivate func require(
        _ key: String, of members: [String: Range<Int>], _ isGemmas: (GemmaSettings.Rule?) -> Bool
    ) throws(TokenizerError) {
        let rule = try members[key].map { range throws(TokenizerError) in
            try decode(GemmaSettings.Rule?.self, range, key)
        }
        guard isGemmas(rule ?? nil) else { throw damaged("its \(key) is not Gemma's") }
    }
}
