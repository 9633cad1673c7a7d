import Capture
import Media

/// Microphones and cameras as columns for people.
enum DevicesTable {
    static func text(_ microphones: [MicrophoneDescription]) -> String {
        text([["MICROPHONE", "NAME", "CHANNELS", "RATES (kHz)", "FORMATS"]] + microphones.map(row))
    }

    /// A line for each format of a camera.
    static func text(_ cameras: [CameraDescription]) -> String {
        text([["CAMERA", "NAME", "FORMAT", "SIZES (up to frames/s)"]] + cameras.flatMap(rows))
    }

    private static func text(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
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

    private static func rows(_ camera: CameraDescription) -> [[String]] {
        let formats = camera.formats.map { [$0.format.rawValue, sizes($0.sizes)] }
        let state = camera.state == .free ? "none that we read" : "(\(camera.state.rawValue))"
        return (formats.isEmpty ? [[state, camera.otherFormats.joined(separator: " ")]] : formats).enumerated().map {
            ($0 == 0 ? [camera.device, camera.card] : ["", ""]) + $1
        }
    }

    /// At most six of them, the smallest and the largest among them.
    private static func sizes(_ sizes: [CameraDescription.Size]) -> String {
        let shown = 6
        let last = sizes.count - 1
        let picked = last < shown ? sizes : (0..<shown).map { sizes[$0 * last / (shown - 1)] }
        let texts = picked.map { size in "\(size.size)" + (size.rates.first.map { " (\(rate($0)))" } ?? "") }
        return texts.joined(separator: " ") + (last < shown ? "" : ", \(sizes.count) in all")
    }

    private static func rate(_ rate: Double) -> String { rate == rate.rounded() ? "\(Int(rate))" : "\(rate)" }

    /// 44.1, 48.
    private static func kilohertz(_ rateHz: Int) -> String {
        rateHz % 1_000 == 0 ? "\(rateHz / 1_000)" : "\(Double(rateHz) / 1_000)"
    }
}
