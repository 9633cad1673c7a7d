/// A `--set STAGE.KEY=VALUE`: it replaces what the file says, before the file is judged.
package struct Override: Hashable, Sendable {
    /// As given.
    package let argument: String

    package init(_ argument: String) { self.argument = argument }

    private var place: Problem.Place { .argument(argument.shortened) }

    /// Applies the override to the root of a file.
    /// - Throws: the problem, if it names no stage of the file or has no value.
    func apply(to root: inout DocumentNode) throws(InvalidOverride) {
        guard let equals = argument.firstIndex(of: "=") else {
            throw InvalidOverride(Problem(place, "no value", remedy: "Write STAGE.KEY=VALUE."))
        }
        let path = argument[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard path.count >= 2, path.count <= 3, !path.contains("") else {
            throw InvalidOverride(
                Problem(place, "'\(argument[..<equals])' is not STAGE.KEY", remedy: "Write STAGE.KEY=VALUE."))
        }
        let names = root["stages"]?.keys ?? []
        guard names.contains(path[0]) else {
            throw InvalidOverride(
                Problem(
                    place, "there is no stage '\(path[0])'",
                    remedy: suggestion(for: path[0], among: names, called: "stages")))
        }
        root.set(["stages"] + path, to: try value(String(argument[argument.index(after: equals)...])))
    }

    /// A list or a mapping where the text begins as one, else the text as it stands.
    private func value(_ text: String) throws(InvalidOverride) -> DocumentNode {
        guard text.hasPrefix("[") || text.hasPrefix("{") else {
            return DocumentNode(content: .text(text, isQuoted: false), place: place)
        }
        var parser = DocumentParser(file: "")
        guard let node = parser.parse(text), parser.problems.isEmpty else {
            let message = parser.problems.first?.message ?? "not valid YAML"
            throw InvalidOverride(Problem(place, message, remedy: "Check the brackets."))
        }
        return node.placed(at: place)
    }
}

struct InvalidOverride: Error {
    let problem: Problem
    init(_ problem: Problem) { self.problem = problem }
}

extension DocumentNode {
    subscript(key: String) -> DocumentNode? {
        guard case .map(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    var keys: [String] {
        guard case .map(let entries) = content else { return [] }
        return entries.map(\.key)
    }

    fileprivate func placed(at place: Problem.Place) -> DocumentNode {
        let moved: Content =
            switch content {
            case .text: content
            case .list(let items): .list(items.map { $0.placed(at: place) })
            case .map(let entries):
                .map(entries.map { Entry(key: $0.key, place: place, value: $0.value.placed(at: place)) })
            }
        return DocumentNode(content: moved, place: place)
    }
}
