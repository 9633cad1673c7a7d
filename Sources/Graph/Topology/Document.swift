/// A YAML document as far as pipeline files need it: text, lists and mappings with string keys, each with its place.
struct DocumentNode {
    enum Content {
        /// Quoted text is never a number, a truth value or nothing.
        case text(String, isQuoted: Bool)
        case list([DocumentNode])
        case map([Entry])
    }

    struct Entry {
        let key: String
        let place: Problem.Place
        var value: DocumentNode
    }

    var content: Content
    let place: Problem.Place

    /// Nothing stands where a value was due.
    var isNull: Bool {
        guard case .text(let text, false) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The text, if there is one.
    var text: String? {
        guard case .text(let text, _) = content, !isNull else { return nil }
        return text
    }

    /// For messages: what was found where something else was due.
    var noun: String {
        switch content {
        case .text(let text, let isQuoted):
            isNull ? "nothing" : isQuoted ? "the text \"\(text.shortened)\"" : "'\(text.shortened)'"
        case .list: "a list"
        case .map: "a mapping"
        }
    }
}

extension DocumentNode {
    /// Sets `path` below this mapping, making mappings as needed.
    mutating func set(_ path: some Collection<String>, to value: DocumentNode) {
        guard let key = path.first else {
            self = value
            return
        }
        var entries: [Entry] = []
        if case .map(let present) = content { entries = present }
        let empty = DocumentNode(content: .map([]), place: value.place)
        let index = entries.firstIndex { $0.key == key } ?? entries.endIndex
        if index == entries.endIndex { entries.append(Entry(key: key, place: value.place, value: empty)) }
        var child = entries[index].value
        child.set(path.dropFirst(), to: value)
        entries[index] = Entry(key: key, place: value.place, value: child)
        content = .map(entries)
    }
}

extension String {
    /// Short enough for a message, on one line.
    var shortened: String {
        let line = split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line == self && count <= 60 ? self : "\(line.prefix(57))..."
    }
}
