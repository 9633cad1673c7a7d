/// What a stage is told about its place when it is made.
package struct StageContext: Sendable {
    package let stage: StageID
    package let clock: StreamClock
    /// The source stages that its values stem from, in the order of the file; for a source, itself.
    package let origins: [StageID]
    /// How the source runs, for a source.
    package let pace: SourcePace
}

/// A stage once made.
package enum StageBody {
    case source(any Source)
    case worker(any Worker)
}

/// A kind of stage: what a pipeline file may say about it, and how it is made.
package struct StageKind: Sendable {
    package enum Role: Sendable { case source, transform, sink }

    /// A stage that another one reads.
    package struct Input: Sendable {
        package let id: StageID
        package let kind: StageKind
        package let settings: StageSettings
    }

    /// What is wrong with a stage, and what to do.
    package struct Complaint: Hashable, Sendable {
        package let message: String
        package let remedy: String

        package init(_ message: String, _ remedy: String) { (self.message, self.remedy) = (message, remedy) }
    }

    package let name: String
    /// One sentence, for messages and documentation.
    package let summary: String
    /// What it takes; empty for a source.
    package let inputs: [PortType]
    package let acceptsManyInputs: Bool
    /// What it gives; nil for a sink.
    package let output: PortType?
    package let settings: [SettingSpecification]
    /// The queue of each of its input links, unless the file says otherwise.
    package let queue: QueuePolicy
    /// How a source of this kind runs, given its settings.
    package let pace: @Sendable (StageSettings) -> SourcePace
    /// What a user should know that is no fault of the file: a device or a model that is not there.
    package let notes: @Sendable (StageSettings) -> [String]
    /// What does not fit together between its settings and the stages it reads, in a file that is right otherwise.
    package let check: @Sendable (StageSettings, [Input]) -> [Complaint]
    /// Makes the stage. Called on the lane, where it may take its time: models load here, before any source starts.
    package let make: @Sendable (StageSettings, StageContext) async throws -> StageBody

    package init(
        name: String, summary: String, inputs: [PortType] = [], acceptsManyInputs: Bool = false,
        output: PortType? = nil, settings: [SettingSpecification] = [], queue: QueuePolicy = .standard,
        pace: @escaping @Sendable (StageSettings) -> SourcePace = { _ in .live },
        notes: @escaping @Sendable (StageSettings) -> [String] = { _ in [] },
        check: @escaping @Sendable (StageSettings, [Input]) -> [Complaint] = { _, _ in [] },
        make: @escaping @Sendable (StageSettings, StageContext) async throws -> StageBody
    ) {
        precondition(!inputs.isEmpty || output != nil, "\(name) neither takes nor gives anything")
        self.name = name
        self.summary = summary
        self.inputs = inputs
        self.acceptsManyInputs = acceptsManyInputs
        self.output = output
        self.settings = settings
        self.queue = queue
        self.pace = pace
        self.notes = notes
        self.check = check
        self.make = make
    }

    package var role: Role { inputs.isEmpty ? .source : output == nil ? .sink : .transform }
}

/// The kinds of stage that a pipeline file may name.
package struct StageRegistry: Sendable {
    /// In the order of registration.
    package let kinds: [StageKind]
    /// The weights that a model alias may ask for.
    package let weights: [String]
    private let byName: [String: StageKind]

    package init(_ kinds: [StageKind], weights: [String] = ["q4", "q8", "f32"]) {
        self.kinds = kinds
        self.weights = weights
        byName = Dictionary(uniqueKeysWithValues: kinds.map { ($0.name, $0) })
    }

    package subscript(name: String) -> StageKind? { byName[name] }

    /// The fewest kinds that lead from one port to another: what is missing between two stages that do not fit.
    /// Empty if there is no way.
    func bridge(from given: PortType, to wanted: [PortType]) -> [StageKind] {
        var paths: [(port: PortType, kinds: [StageKind])] = [(given, [])]
        var seen: Set<PortType> = [given]
        var next = 0
        while next < paths.count {
            let path = paths[next]
            next += 1
            for kind in kinds where kind.inputs.contains(path.port) {
                guard let output = kind.output, seen.insert(output).inserted else { continue }
                if wanted.contains(output) { return path.kinds + [kind] }
                paths.append((output, path.kinds + [kind]))
            }
        }
        return []
    }
}
