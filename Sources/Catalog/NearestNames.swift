/// Names close to a mistyped one.
enum NearestNames {
    /// At most two, nearest first: few edits away, or one contains the other.
    static func of(_ name: String, among known: [String]) -> [String] {
        let name = name.lowercased()
        let ranked = known.map { candidate -> (name: String, edits: Int) in
            let contained = name.count >= 3 && (candidate.contains(name) || name.contains(candidate))
            return (candidate, contained ? 0 : edits(from: Array(name), to: Array(candidate)))
        }
        return ranked.filter { $0.edits <= max(2, name.count / 3) }.sorted { $0.edits < $1.edits }.prefix(2).map(\.name)
    }

    /// Levenshtein's distance.
    private static func edits(from source: [Character], to target: [Character]) -> Int {
        guard source.count <= 64 else { return .max }  // no name is that long
        var previous = Array(0...target.count)
        for (row, character) in source.enumerated() {
            var current = [row + 1]
            for (column, other) in target.enumerated() {
                current.append(
                    min(previous[column] + (character == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[target.count]
    }
}
