import Yams

/// Reads YAML within bounds: a pipeline file is small, and what is not is refused before it can cost anything.
struct DocumentParser {
    static let maximumBytes = 64 << 10
    /// Aliases that each name several others multiply; with this many they stay below 2^9 times the file
    /// (e^(16/e), all arranged in the worst way), and `maximumNodes` bounds what is left.
    static let maximumAliases = 16
    static let maximumNodes = 10_000
    static let maximumDepth = 16
    /// Put before a key that stands twice, so that the rest of the file can be read too. From the private use area.
    private static let mark: Unicode.Scalar = "\u{F8F0}"

    let file: String
    private(set) var problems: [Problem] = []
    private var nodes = 0

    init(file: String) { self.file = file }

    /// The root of the document; nil if there is none that can be used, and `problems` says why.
    mutating func parse(_ text: String) -> DocumentNode? {
        guard text.utf8.count <= Self.maximumBytes else {
            report(1, "the file is larger than \(Self.maximumBytes >> 10) KiB", "Is this a pipeline file?")
            return nil
        }
        if let line = lineWithTooManyAliases(text) {
            report(line, "the file has more than \(Self.maximumAliases) YAML aliases (*name)", "Write the values out.")
            return nil
        }
        guard let root = compose(text) else { return nil }
        return convert(root, depth: 0)
    }

    private mutating func report(_ line: Int, _ message: String, _ remedy: String) {
        problems.append(Problem(.line(max(1, line), file: file), message, remedy: remedy))
    }

    /// Yams stops at the first key that stands twice. Marking that key and reading again finds all problems at once.
    private mutating func compose(_ text: String) -> Yams.Node? {
        var text = text
        for _ in 0..<32 {
            do {
                if let root = try Yams.compose(yaml: text), !isEmpty(root) { return root }
                report(1, "the file is empty", "It needs at least `stages`.")
                return nil
            } catch let YamlError.duplicatedKeysInMapping(keys, context) {
                guard let marked = mark(keys, at: context.mark, in: text) else {
                    let names = keys.map { "'\($0.shortened)'" }.joined(separator: ", ")
                    report(context.mark.line, "key \(names) stands twice in one mapping", "Remove one of the two.")
                    return nil
                }
                text = marked
            } catch {
                reportSyntax(error, text)
                return nil
            }
        }
        report(1, "too many keys stand twice", "Remove one of each two.")
        return nil
    }

    private func isEmpty(_ root: Yams.Node) -> Bool {
        root.scalar.map { $0.string.isEmpty && $0.style == .plain } ?? false
    }

    /// `text` with one more mark before the key at `place`, or nil if no key of that name stands there.
    private func mark(_ keys: [String], at place: Yams.Mark, in text: String) -> String? {
        var scalars = Array(text.unicodeScalars)
        var position = 0
        for _ in 1..<place.line {
            guard let end = scalars[position...].firstIndex(where: { $0 == "\n" }) else { return nil }
            position = end + 1
        }
        position += place.column - 1
        if position < scalars.count, scalars[position] == "\"" || scalars[position] == "'" { position += 1 }
        guard keys.contains(where: { scalars[min(position, scalars.count)...].starts(with: $0.unicodeScalars) })
        else { return nil }
        scalars.insert(Self.mark, at: position)
        return String(String.UnicodeScalarView(scalars))
    }

    private mutating func reportSyntax(_ error: any Error, _ text: String) {
        let remedy = "Check the indentation, the colons and the brackets there and just above."
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _):
            report(mark.line, "not valid YAML: \(problem)", remedy)
        case YamlError.composer(_, let problem, let mark, _):
            report(mark.line, "not valid YAML: \(problem)", "A pipeline is one document with no loose ends.")
        case YamlError.reader(let problem, let offset, _, _):
            let before = text.prefix(offset ?? 0)
            let line = before.unicodeScalars.count { $0 == "\n" } + 1
            report(line, "not a text file: \(problem)", "Save it as plain UTF-8.")
        default:
            report(1, "not valid YAML", remedy)
        }
    }

    /// Counts whatever could be an alias, wherever it stands but in comments: rather too many than too few.
    private func lineWithTooManyAliases(_ text: String) -> Int? {
        var aliases = 0
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.first(where: { $0 != " " && $0 != "\t" }) != "#" {
            for (star, next) in zip(line, line.dropFirst()) where star == "*" && next.isAnchorName { aliases += 1 }
            if aliases > Self.maximumAliases { return index + 1 }
        }
        return nil
    }

    private mutating func convert(_ node: Yams.Node, depth: Int) -> DocumentNode? {
        let line = node.mark?.line ?? 1
        let place = Problem.Place.line(line, file: file)
        nodes += 1
        guard nodes <= Self.maximumNodes, depth <= Self.maximumDepth else {
            let excess = depth > Self.maximumDepth ? "nested too deeply" : "more than \(Self.maximumNodes) values"
            if problems.last?.line != line { report(line, excess, "Is this a pipeline file?") }
            return nil
        }
        switch node {
        case .scalar(let scalar):
            return DocumentNode(content: .text(scalar.string, isQuoted: scalar.style != .plain), place: place)
        case .sequence(let sequence):
            var items: [DocumentNode] = []
            for item in sequence {
                guard let item = convert(item, depth: depth + 1) else { return nil }
                items.append(item)
            }
            return DocumentNode(content: .list(items), place: place)
        case .mapping(let mapping):
            return convert(mapping, place, depth: depth)
        case .alias:
            return nil  // made by programs only, never by the parser
        }
    }

    private mutating func convert(
        _ mapping: Yams.Node.Mapping, _ place: Problem.Place, depth: Int
    ) -> DocumentNode? {
        var entries: [DocumentNode.Entry] = []
        var marked: [(key: String, line: Int)] = []
        for (keyNode, valueNode) in mapping {
            let line = keyNode.mark?.line ?? 1
            guard let value = convert(valueNode, depth: depth + 1) else { return nil }
            guard let scalar = keyNode.scalar else {
                report(line, "a key is a list or a mapping", "Use a name.")
                continue
            }
            let key = String(scalar.string.unicodeScalars.drop { $0 == Self.mark })
            if key != scalar.string {
                marked.append((key, line))
            } else {
                entries.append(.init(key: key, place: .line(line, file: file), value: value))
            }
        }
        for (key, first) in marked {
            let last = entries.first { $0.key == key }?.place
            let repeated = if case .line(let line, _)? = last { line } else { first }
            report(repeated, "key '\(key.shortened)' stands here and in line \(first)", "Remove one of the two.")
        }
        return DocumentNode(content: .map(entries), place: place)
    }
}

extension Unicode.Scalar {
    fileprivate var isAnchorName: Bool {
        isASCII && (properties.isAlphabetic || "0"..."9" ~= self) || "_-".unicodeScalars.contains(self)
    }
}
