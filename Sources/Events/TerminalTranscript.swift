/// A live transcript on a terminal: finals stay as lines, and below them one line is redrawn while somebody speaks,
/// the committed text plain and the tentative text dim.
package struct TerminalTranscript: Sendable {
    private let styled: Bool
    /// Utterances can overlap by an event or two; the newest is shown.
    private var open: [PartialTranscript] = []

    /// - Parameter styled: dim the tentative text; off under `NO_COLOR`.
    package init(styled: Bool) { self.styled = styled }

    /// What to write to a terminal `columns` wide.
    package mutating func show(_ update: TranscriptUpdate, columns: Int) -> String {
        switch update {
        case .partial(let partial):
            open.removeAll { $0.utt == partial.utt }
            open.append(partial)
            return partialLine(columns: columns)
        case .final(let final):
            open.removeAll { $0.utt == final.utt }
            return "\r" + printable(trimmed(final.text)) + Self.clearToEnd + "\n" + partialLine(columns: columns)
        case .discarded(let utt):
            open.removeAll { $0.utt == utt }
            return partialLine(columns: columns)
        }
    }

    /// Writes a line that is not speech, dim, above the redrawn one.
    package func show(line: String, columns: Int) -> String {
        let text = printable(line)
        return "\r" + (styled ? "\u{1B}[2m\(text)\u{1B}[0m" : text) + Self.clearToEnd + "\n"
            + (open.isEmpty ? "" : partialLine(columns: columns))
    }

    /// Wipes the redrawn line, to end or to make room for something else; the next update draws it again.
    package func wipe() -> String { open.isEmpty ? "" : "\r" + Self.clearToEnd }

    private static let clearToEnd = "\u{1B}[K"

    /// Never fills the last column: a line that wraps cannot be redrawn.
    private func partialLine(columns: Int) -> String {
        guard let partial = open.last else { return "\r" + Self.clearToEnd }
        let committed = printable(partial.committed)
        let whole = committed + printable(partial.tentative)
        let room = max(columns - 1, 1)
        var shown = whole[...]
        var mark = ""
        if TextWidth.columns(of: whole) > room {
            mark = "…"
            shown = TextWidth.tail(of: whole, columns: room - 1)
        }
        // `committed` ends where it ends in the whole text, which may lie before the tail that is shown.
        let border = whole.utf8.index(whole.startIndex, offsetBy: committed.utf8.count)
        guard styled, border < shown.endIndex else { return "\r" + mark + shown + Self.clearToEnd }
        let split = max(border, shown.startIndex)
        return "\r" + mark + whole[shown.startIndex..<split] + "\u{1B}[2m" + whole[split...] + "\u{1B}[0m"
            + Self.clearToEnd
    }

    /// A transcript is data: it must not steer the terminal.
    private func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
        return String(String.UnicodeScalarView(scalars))
    }
}
