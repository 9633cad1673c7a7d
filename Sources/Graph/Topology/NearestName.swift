/// The name that was probably meant: the one with the fewest edits, if they are few enough for its length.
func nearestName(to name: String, among names: some Sequence<String>) -> String? {
    let allowed = max(1, min(name.count, 24) / 3)
    let distances = names.map { (name: $0, edits: editDistance(name.lowercased(), $0.lowercased())) }
    return distances.filter { $0.edits <= allowed }.min { ($0.edits, $0.name) < ($1.edits, $1.name) }?.name
}

/// A remedy: the nearest name, else all there are.
func suggestion(for name: String, among names: [String], called what: String) -> String {
    if let nearest = nearestName(to: name, among: names) { return "Did you mean '\(nearest)'?" }
    if names.isEmpty { return "There are no \(what)." }
    return "The \(what) are: \(names.joined(separator: ", "))."
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other
/// (optimal string alignment).
func editDistance(_ a: String, _ b: String) -> Int {
    // A name of more characters is near to nothing; the bound keeps hostile ones cheap.
    let (a, b) = (Array(a.prefix(64)), Array(b.prefix(64)))
    var previous: [Int] = []
    var row = Array(0...b.count)
    for i in a.indices {
        var next = [i + 1]
        for j in b.indices {
            var edits = min(row[j] + (a[i] == b[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { edits = min(edits, previous[j - 1] + 1) }
            next.append(edits)
        }
        (previous, row) = (row, next)
    }
    return row[b.count]
}
