import Foundation

/// A JSON value, whatever it is.
enum ConfigValue: Codable, Equatable, Sendable {
    case null, bool(Bool), number(Double), text(String), list([ConfigValue]), object([String: ConfigValue])

    init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: AnyKey.self) {
            self = .object(
                try Dictionary(
                    object.allKeys.map { ($0.stringValue, try object.decode(ConfigValue.self, forKey: $0)) },
                    uniquingKeysWith: { first, _ in first }))
            return
        }
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else {
            self = .list(try value.decode([ConfigValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        switch self {
        case .null: try single.encodeNil()
        case .bool(let bool): try single.encode(bool)
        case .number(let number):
            if let whole = Int(exactly: number) { try single.encode(whole) } else { try single.encode(number) }
        case .text(let text): try single.encode(text)
        case .list(let list): try single.encode(list)
        case .object(let members): try single.encode(members)
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// Takes settings out of one JSON object: every number within bounds, every problem noted, a usable value in any case.
///
/// A class, so that the objects inside an object note their problems in one list.
final class ConfigReader {
    final class Problems { var list: [String] = [] }

    let problems: Problems
    private let values: [String: ConfigValue]
    let path: String

    init(_ values: [String: ConfigValue], path: String = "", problems: Problems = Problems()) {
        (self.values, self.path, self.problems) = (values, path, problems)
    }

    private static let maxFileBytes = 4 << 20  // a hundred times what a config.json has

    static func values(file: String) throws(GemmaError) -> [String: ConfigValue] {
        guard FileManager.default.fileExists(atPath: file) else { throw .missing(file: file) }
        guard let data = smallFile(file) else {
            throw .badConfig(file: file, problems: ["it is no plain file of less than \(maxFileBytes >> 20) MB"])
        }
        return try values(json: data, source: file)
    }

    /// A whole file; nil for a pipe or a device, which would block or never end, and for what is far too large.
    static func smallFile(_ file: String) -> Data? {
        let path = URL(fileURLWithPath: file).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard attributes?[.type] as? FileAttributeType == .typeRegular, let size = attributes?[.size] as? Int,
            size < maxFileBytes
        else { return nil }
        return FileManager.default.contents(atPath: path)
    }

    static func values(json: Data, source: String) throws(GemmaError) -> [String: ConfigValue] {
        guard case .object(let values)? = try? JSONDecoder().decode(ConfigValue.self, from: json) else {
            throw .badConfig(file: source, problems: ["it is not a JSON object"])
        }
        return values
    }

    func note(_ key: String, _ problem: String) { problems.list.append("\(path)\(key) \(problem)") }

    var keys: [String] { values.keys.sorted() }

    /// Nil when it is absent or null.
    func value(_ key: String) -> ConfigValue? {
        if case .null? = values[key] { nil } else { values[key] }
    }

    func object(_ key: String) -> ConfigReader? {
        guard let value = value(key) else { return nil }
        guard case .object(let values) = value else {
            note(key, "is not an object")
            return nil
        }
        return ConfigReader(values, path: "\(path)\(key).", problems: problems)
    }

    func integer(_ key: String, in range: ClosedRange<Int>, default absent: Int? = nil) -> Int {
        guard let value = value(key) else {
            if let absent { return absent }
            note(key, "is missing")
            return range.lowerBound
        }
        return integer(value, key, range)
    }

    func number(_ key: String, in range: ClosedRange<Double>, default absent: Double) -> Double {
        guard let value = value(key) else { return absent }
        guard case .number(let number) = value, range.contains(number) else {
            note(key, "is no number in \(range.lowerBound)...\(range.upperBound)")
            return absent
        }
        return number
    }

    func bool(_ key: String, default absent: Bool) -> Bool {
        guard let value = value(key) else { return absent }
        guard case .bool(let bool) = value else {
            note(key, "is neither true nor false")
            return absent
        }
        return bool
    }

    /// One number for all, or one for each.
    func integers(_ key: String, count: Int, in range: ClosedRange<Int>) -> [Int] {
        guard let list = list(key, count: count) else {
            return Array(repeating: integer(key, in: range), count: count)
        }
        return list.map { integer($0, key, range) }
    }

    func numbers(_ key: String, count: Int, in range: Range<Double>, default absent: [Double]) -> [Double] {
        guard let list = list(key, count: count) else {
            if value(key) != nil { note(key, "is not a list") }
            return absent
        }
        return list.map { value in
            if case .number(let number) = value, range.contains(number) { return number }
            note(key, "holds what is no number in \(range)")
            return range.lowerBound
        }
    }

    func texts(_ key: String, count: Int, from allowed: [String], default absent: [String]) -> [String] {
        guard let list = list(key, count: count) else {
            if value(key) != nil { note(key, "is not a list") }
            return absent
        }
        return list.map { value in
            if case .text(let text) = value, allowed.contains(text) { return text }
            note(key, "holds something else than \(allowed.joined(separator: ", "))")
            return allowed[0]
        }
    }

    /// Notes a setting that is there and is not the one we can run.
    func require(_ key: String, _ wanted: String) {
        guard let value = value(key) else { return }
        if case .text(wanted) = value { return }
        note(key, "is not \(wanted), the only one that is supported")
    }

    private func list(_ key: String, count: Int) -> [ConfigValue]? {
        guard case .list(let list)? = value(key) else { return nil }
        if list.count == count { return list }
        note(key, "has \(list.count) entries for \(count)")
        return list.isEmpty ? nil : (0..<count).map { list[min($0, list.count - 1)] }
    }

    private func integer(_ value: ConfigValue, _ key: String, _ range: ClosedRange<Int>) -> Int {
        if case .number(let number) = value, let whole = Int(exactly: number), range.contains(whole) { return whole }
        note(key, "is no whole number in \(range.lowerBound)...\(range.upperBound)")
        return range.lowerBound
    }
}
