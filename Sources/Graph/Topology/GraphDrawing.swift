/// A picture of a topology in a language that other tools draw.
package enum GraphDrawing: String, CaseIterable, Sendable {
    case mermaid
    case dot

    /// The drawing, with a line break at its end.
    package func text(of topology: Topology) -> String {
        switch self {
        case .mermaid: mermaid(topology)
        case .dot: dot(topology)
        }
    }

    private func mermaid(_ topology: Topology) -> String {
        var lines = ["flowchart LR"]
        for stage in topology.stages {
            let label = "\"\(stage.id)<br/><small>\(stage.kind.name)</small>\""
            // A trailing mark keeps names such as `end` from being words of the language.
            switch stage.kind.role {
            case .source: lines.append("    \(stage.id)_([\(label)])")
            case .transform: lines.append("    \(stage.id)_[\(label)]")
            case .sink: lines.append("    \(stage.id)_[/\(label)/]")
            }
        }
        for link in links(topology) { lines.append("    \(link.from)_ -->|\(link.port)| \(link.to)_") }
        return lines.joined(separator: "\n") + "\n"
    }

    private func dot(_ topology: Topology) -> String {
        let name = topology.name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        var lines = ["digraph \"\(name)\" {", "    rankdir=LR", "    node [shape=box]"]
        for stage in topology.stages {
            let shape = [.source: ", shape=oval", .sink: ", shape=parallelogram"][stage.kind.role] ?? ""
            lines.append("    \"\(stage.id)\" [label=\"\(stage.id)\\n\(stage.kind.name)\"\(shape)]")
        }
        for link in links(topology) {
            lines.append("    \"\(link.from)\" -> \"\(link.to)\" [label=\"\(link.port)\"]")
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    private func links(_ topology: Topology) -> [(from: StageID, to: StageID, port: String)] {
        topology.stages.flatMap { stage in
            stage.inputs.map { ($0, stage.id, topology[$0]?.kind.output?.name ?? "") }
        }
    }
}
