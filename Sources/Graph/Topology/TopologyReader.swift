/// Makes a `Topology` of a document, and collects everything that is wrong with it on the way.
struct TopologyReader {
    /// A stage as far as it could be read.
    struct Draft {
        let id: StageID
        let place: Problem.Place
        var kind: StageKind?
        var inputs: [(id: StageID, place: Problem.Place)] = []
        var hasFrom = false
        var queue: QueuePolicy?
        var settings: [String: SettingValue] = [:]

        /// `stage 'x' (kind y)`
        var title: String { "stage '\(id)'" + (kind.map { " (kind \($0.name))" } ?? "") }
    }

    struct Alias {
        let model: String
        let weights: String?
        let place: Problem.Place
        var isUsed = false
    }

    let file: String
    let registry: StageRegistry
    var problems: [Problem]
    var warnings: [Problem] = []
    var aliases: [String: Alias] = [:]
    var drafts: [Draft] = []

    init(file: String, registry: StageRegistry, problems: [Problem]) {
        self.file = file
        self.registry = registry
        self.problems = problems
    }

    mutating func report(_ place: Problem.Place, _ message: String, _ remedy: String = "") {
        problems.append(Problem(place, message, remedy: remedy))
    }

    /// The topology; nil if there are problems.
    mutating func read(_ root: DocumentNode) -> Topology? {
        let sections = entries(
            of: root, "the file", "Write `name:`, `models:` and `stages:` with what belongs to them.")
        checkKeys(sections, of: "the file", known: ["name", "models", "stages"])
        let models = entries(of: root["models"], "models", "Write `NAME: { model: MODEL }` lines below it.")
        for entry in models { readAlias(entry) }
        let stages = root["stages"]
        if stages == nil, !sections.isEmpty {
            report(root.place, "missing key 'stages'", "Add `stages:` and one line for each stage below it.")
        }
        let stageEntries = entries(of: stages, "stages", "Write `NAME: { kind: KIND }` lines below it.")
        // Names come first, so that a setting can be checked against stages further down.
        drafts = stageEntries.map { Draft(id: StageID($0.key), place: $0.place) }
        for index in stageEntries.indices { readStage(stageEntries[index], at: index) }
        checkLinks()
        if problems.isEmpty { checkKinds() }
        guard problems.isEmpty else { return nil }
        warn()
        return Topology(
            name: root["name"].flatMap(\.text) ?? file.fileStem, file: file,
            stages: drafts.map { draft in
                StageDescription(
                    id: draft.id, kind: draft.kind!, place: draft.place, inputs: draft.inputs.map(\.id),
                    queue: draft.queue ?? draft.kind!.queue, settings: StageSettings(draft.settings))
            },
            warnings: warnings.inOrder)
    }

    /// The entries of a mapping; reports if `node` is something else. No node has no entries.
    mutating func entries(of node: DocumentNode?, _ what: String, _ remedy: String) -> [DocumentNode.Entry] {
        guard let node else { return [] }
        guard case .map(let entries) = node.content, !entries.isEmpty else {
            report(node.place, "\(what) must be a mapping, and is \(node.nounOfEmpty)", remedy)
            return []
        }
        return entries
    }

    mutating func checkKeys(_ entries: [DocumentNode.Entry], of what: String, known: [String]) {
        for entry in entries where !known.contains(entry.key) {
            report(
                entry.place, "unknown key '\(entry.key.shortened)' of \(what)",
                suggestion(for: entry.key, among: known, called: "keys"))
        }
    }

    private mutating func readAlias(_ entry: DocumentNode.Entry) {
        let title = "model '\(entry.key.shortened)'"
        let members = entries(of: entry.value, title, "Write `{ model: MODEL }`.")
        guard !members.isEmpty else { return }
        checkKeys(members, of: title, known: ["model", "weights"])
        guard let model = entry.value["model"] else {
            report(entry.place, "missing key 'model' of \(title)", "Add the name of a model, or a path.")
            return
        }
        guard let name = model.text, !name.isEmpty else {
            report(model.place, "'model' of \(title) is \(model.noun)", "Write the name of a model, or a path.")
            return
        }
        var weights: String?
        if let node = entry.value["weights"] {
            weights = node.text
            if !registry.weights.contains(weights ?? "") {
                report(
                    node.place, "'weights' of \(title) is \(node.noun)",
                    "It must be \(SettingType.choice(registry.weights).description).")
            }
        }
        aliases[entry.key] = Alias(model: name, weights: weights, place: entry.place)
    }

    private mutating func readStage(_ entry: DocumentNode.Entry, at index: Int) {
        if !entry.key.isStageName {
            report(
                entry.place, "'\(entry.key.shortened)' is no name for a stage",
                "Use letters, digits, '_' and '-', a letter first.")
        }
        let members = entries(of: entry.value, drafts[index].title, "Write `{ kind: KIND }` and its settings.")
        guard !members.isEmpty else { return }
        if let kind = entry.value["kind"] {
            drafts[index].kind = kind.text.flatMap { registry[$0] }
            if drafts[index].kind == nil {
                let name = kind.text ?? ""
                let title = "of stage '\(entry.key)'"
                report(
                    kind.place,
                    kind.text == nil ? "'kind' \(title) is \(kind.noun)" : "unknown kind '\(name.shortened)' \(title)",
                    suggestion(for: name, among: registry.kinds.map(\.name), called: "kinds"))
            }
        } else {
            report(
                entry.place, "missing key 'kind' of stage '\(entry.key)'",
                suggestion(for: "", among: registry.kinds.map(\.name), called: "kinds"))
        }
        if let from = entry.value["from"] { readFrom(from, at: index) }
        if let queue = entry.value["queue"] { readQueue(queue, at: index) }
        if let kind = drafts[index].kind { readSettings(members, of: kind, at: index, entry.place) }
    }

    private mutating func readFrom(_ node: DocumentNode, at index: Int) {
        drafts[index].hasFrom = true
        for item in node.listed {
            guard let name = item.text else {
                report(
                    item.place, "'from' of \(drafts[index].title) is \(item.noun)", "Write a stage or a list of them.")
                continue
            }
            drafts[index].inputs.append((StageID(name), item.place))
        }
        if node.listed.isEmpty {
            report(node.place, "'from' of \(drafts[index].title) is an empty list", "Name the stages it reads.")
        }
    }

    private mutating func readQueue(_ node: DocumentNode, at index: Int) {
        let title = "the queue of \(drafts[index].title)"
        let members = entries(of: node, title, "Write `{ capacity: 4, when_full: wait }`.")
        checkKeys(members, of: title, known: ["capacity", "when_full"])
        var queue = drafts[index].kind?.queue ?? .standard
        if let node = node["capacity"],
            let capacity = value(of: node, .integer(1...65_536), "'capacity' of \(title)")
        {
            queue.capacity = capacity.integer!
        }
        let policies = SettingType.choice(WhenFull.allCases.map(\.rawValue))
        if let node = node["when_full"], let name = value(of: node, policies, "'when_full' of \(title)") {
            queue.whenFull = WhenFull(rawValue: name.string!)!
        }
        drafts[index].queue = queue
    }

    /// What runs and is probably not meant.
    private mutating func warn() {
        let read = Set(drafts.flatMap { $0.inputs.map(\.id) + $0.settings.values.flatMap { $0.stages ?? [] } })
        for draft in drafts where draft.kind?.output != nil && !read.contains(draft.id) {
            warnings.append(
                Problem(draft.place, "nobody reads \(draft.title)", remedy: "Name it in a `from`, or remove it."))
        }
        for (name, alias) in aliases.sorted(by: { $0.key < $1.key }) where !alias.isUsed {
            warnings.append(
                Problem(alias.place, "nobody uses model '\(name)'", remedy: "Name it in a `model`, or remove it."))
        }
    }
}

extension DocumentNode {
    /// A list's items, or the node itself.
    var listed: [DocumentNode] {
        if case .list(let items) = content { items } else { [self] }
    }

    fileprivate var nounOfEmpty: String {
        if case .map = content { "empty" } else { noun }
    }
}

extension String {
    fileprivate var isStageName: Bool {
        let isPlain = utf8.allSatisfy { byte in
            let character = Character(Unicode.Scalar(byte))
            return byte < 0x80 && (character.isLetter || character.isNumber || "_-".contains(character))
        }
        return isPlain && count <= 64 && (first?.isLetter ?? false)
    }

    /// The last component of a path, without its extension.
    fileprivate var fileStem: String {
        let name = split(separator: "/").last.map(String.init) ?? self
        return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }
}
