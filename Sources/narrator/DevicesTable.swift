import Capture
import Media

/// Microphones as columns for people.
enum DevicesTable {
    private static let header = ["MICROPHONE", "NAME", "CHANNELS", "RATES (kHz)", "FORMATS"]

    static func text(_ microphones: [MicrophoneDescription]) -> String {
        let rows = [header] + microphones.map(row)
        let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    private static func row(_ microphone: MicrophoneDescription) -> [String] {
        let isOpen = microphone.state == .free
        return [
            microphone.name, microphone.label,
            isOpen ? microphone.channels.map(channels) ?? "-" : "(\(microphone.state.rawValue))",
            microphone.ratesHz.map(kilohertz).joined(separator: " "),
            microphone.formats.map(\.rawValue).joined(separator: " ")
        ]
    }

    private static func channels(_ range: ClosedRange<Int>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }

    /// 44.1, 48.
    private static func kilohertz(_ rateHz: Int) -> String {
        rateHz % 1_000 == 0 ? "\(rateHz / 1_000)" : "\(Double(rateHz) / 1_000)"
    }
}
