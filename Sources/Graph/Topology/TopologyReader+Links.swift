extension TopologyReader {
    /// Who feeds whom: that it exists, fits, and goes nowhere in circles.
    mutating func checkLinks() {
        let byID = Dictionary(drafts.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for index in drafts.indices {
            let draft = drafts[index]
            checkPresence(of: draft)
            var seen: Set<StageID> = []
            for (id, place) in draft.inputs {
                if !seen.insert(id).inserted {
                    report(place, "\(draft.title) reads '\(id)' twice", "Remove one of the two.")
                } else if let giver = byID[id] {
                    checkPort(from: giver, to: draft, place)
                } else {
                    report(
                        place, "\(draft.title) reads '\(id.name.shortened)', which does not exist",
                        suggestion(for: id.name, among: drafts.map(\.id.name), called: "stages"))
                }
            }
        }
        checkCycles(byID)
    }

    /// A source has no `from` and no queue; everything else has one `from`, or several if its kind takes them.
    private mutating func checkPresence(of draft: Draft) {
        guard let kind = draft.kind else { return }
        if kind.role == .source {
            if draft.hasFrom {
                report(
                    draft.inputs.first?.place ?? draft.place, "\(draft.title) is a source and reads nobody",
                    "Remove `from`.")
            }
            if draft.queue != nil {
                report(
                    draft.place, "\(draft.title) is a source and has no queue",
                    "Set the queue of the stage that reads it.")
            }
        } else if !draft.hasFrom {
            // People write a pipeline in the order of its flow: the last one before that fits is the likeliest.
            let giver = drafts.prefix { $0.id != draft.id }.last { $0.kind?.output.map(kind.inputs.contains) ?? false }
            let remedy = giver.map { "Add `from: \($0.id)`." } ?? "Name the stage it reads."
            report(draft.place, "missing key 'from' of \(draft.title)", remedy)
        }
        if kind.role != .source, draft.inputs.count > 1, !kind.acceptsManyInputs {
            report(draft.inputs[1].place, "\(draft.title) can read one stage only", "Keep one name in `from`.")
        }
    }

    private mutating func checkPort(from giver: Draft, to taker: Draft, _ place: Problem.Place) {
        guard let given = giver.kind, let taken = taker.kind, taken.role != .source else { return }
        guard let output = given.output else {
            report(place, "\(taker.title) reads \(giver.title), which gives nothing", "Read a stage before it.")
            return
        }
        guard !taken.inputs.contains(output) else { return }
        let wanted = taken.inputs.map(\.name).joined(separator: " or ")
        let bridge = registry.bridge(from: output, to: taken.inputs).map { "`\($0.name)`" }
        let stages =
            bridge.count == 1 ? "a \(bridge[0]) stage" : "stages of the kinds \(bridge.joined(separator: ", "))"
        report(
            place, "\(taker.title) takes \(wanted), and \(giver.title) gives \(output)",
            bridge.isEmpty ? "Read a stage that gives \(wanted)." : "Put \(stages) between them.")
    }

    /// What the kinds themselves have to say of stages that are right as far as the file goes.
    mutating func checkKinds() {
        let byID = Dictionary(drafts.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for draft in drafts {
            let inputs = draft.inputs.compactMap { input in
                byID[input.id].map {
                    StageKind.Input(id: $0.id, kind: $0.kind!, settings: StageSettings($0.settings))
                }
            }
            for complaint in draft.kind!.check(StageSettings(draft.settings), inputs) {
                report(draft.place, "\(draft.title): \(complaint.message)", complaint.remedy)
            }
        }
    }

    /// Reports every circle once, at its first stage in the file.
    private mutating func checkCycles(_ byID: [StageID: Draft]) {
        var finished: Set<StageID> = []
        for draft in drafts where !finished.contains(draft.id) {
            var path: [(id: StageID, next: Int)] = [(draft.id, 0)]
            while let (id, next) = path.last {
                let inputs = byID[id]?.inputs ?? []
                guard next < inputs.count else {
                    finished.insert(id)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let input = inputs[next].id
                if let begin = path.firstIndex(where: { $0.id == input }) {
                    // Inputs were followed against the flow, so the flow is the path backwards.
                    let circle = [input] + path[begin...].map(\.id).reversed()
                    report(
                        inputs[next].place, "the stages go in a circle: " + circle.map(\.name).joined(separator: " → "),
                        "Let one of them read another stage.")
                } else if byID[input] != nil, !finished.contains(input) {
                    path.append((input, 0))
                }
            }
        }
    }
}
