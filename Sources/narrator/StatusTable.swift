import Events

/// A daemon's status for people: what is single first, then a table each of the sources, stages and links.
struct StatusTable {
    private let status: JSONValue
    /// Where a name is longer than what stands under it, for 80 columns.
    private static let headings = [
        "packets_in": "IN", "packets_out": "OUT", "real_time_factor": "RTF", "high_water": "HIGH"
    ]

    init(_ status: JSONValue) { self.status = status }

    var text: String {
        var facts: [[String]] = []
        var tables: [String] = []
        for member in status.object?.members ?? [] {
            switch member.value {
            case .array(let items):
                if let table = table(items) { tables.append(table) }
            case .object(let object):
                facts += object.members.map { ["\(member.name).\($0.name)", cell($0.value)] }
            default: facts.append([member.name, cell(member.value)])
            }
        }
        return ([aligned(facts)] + tables).joined(separator: "\n")
    }

    /// Objects as rows under the names of their members; nothing for none.
    private func table(_ items: [JSONValue]) -> String? {
        var names: [String] = []
        for member in items.flatMap({ $0.object?.members ?? [] }) where !names.contains(member.name) {
            names.append(member.name)
        }
        if names.isEmpty { return nil }
        let heading = names.map { Self.headings[$0] ?? $0.uppercased().replacing("_", with: " ") }
        return aligned([heading] + items.map { item in names.map { item[$0].map(cell) ?? "" } })
    }

    /// Columns as wide as their widest cell.
    private func aligned(_ rows: [[String]]) -> String {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { TextWidth.columns(of: $0[column]) }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < columns - 1 {
                    line += String(repeating: " ", count: widths[column] - TextWidth.columns(of: cell) + 2)
                }
            }
            return line + "\n"
        }.joined()
    }

    private func cell(_ value: JSONValue) -> String { value.string ?? value.jsonText }
}
