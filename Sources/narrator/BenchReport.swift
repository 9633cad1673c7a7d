import Events
import Foundation

/// What `bench` found: figures in the order they are shown, under names that carry their unit.
struct BenchReport {
    enum Value {
        case text(String)
        case count(Int)
        case bytes(Int)
        case seconds(Double)
        case rate(Double, unit: String)
    }

    private struct Figure {
        let key: String
        let label: String
        let value: Value
    }

    private var figures: [Figure] = []

    /// - Parameters:
    ///   - key: The member of the JSON object.
    ///   - label: The same for people.
    mutating func add(_ key: String, _ label: String, _ value: Value) {
        figures.append(Figure(key: key, label: label, value: value))
    }

    /// One JSON object on a line.
    var json: [UInt8] {
        var object = JSONObject()
        for figure in figures { object[figure.key] = figure.value.json }
        return JSONValue.object(object).line
    }

    /// A line a figure, numbers in one column.
    var table: String {
        let width = figures.map(\.label.count).max() ?? 0
        return figures.map { figure in
            figure.label.padding(toLength: width, withPad: " ", startingAt: 0) + "  \(figure.value.text)\n"
        }.joined()
    }
}

extension BenchReport.Value {
    var json: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .count(let number), .bytes(let number): .int(number)
        case .seconds(let number), .rate(let number, _): .double(Self.rounded(number))
        }
    }

    var text: String {
        switch self {
        case .text(let text): text
        case .count(let number): "\(number)"
        case .bytes(let number): formatBytes(number)
        case .seconds(let number) where number < 1: String(format: "%.2f ms", number * 1_000)
        case .seconds(let number): String(format: "%.2f s", number)
        case .rate(let number, let unit): String(format: number < 100 ? "%.1f" : "%.0f", number) + " \(unit)"
        }
    }

    /// Five significant digits: what lies behind them is the clock's and the machine's mood.
    private static func rounded(_ number: Double) -> Double { Double(String(format: "%.5g", number)) ?? number }
}
