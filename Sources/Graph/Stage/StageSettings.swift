package import Media

/// The settings of one stage, with the defaults filled in.
///
/// The typed getters are for settings that are required or have a default: the specification says so, and asking
/// otherwise is our own bug. `settings["language"]?.string` is for the others.
package struct StageSettings: Hashable, Sendable {
    private let values: [String: SettingValue]

    package init(_ values: [String: SettingValue]) { self.values = values }

    package subscript(key: String) -> SettingValue? { values[key] }

    package func integer(_ key: String) -> Int { get(key, \.integer) }
    package func number(_ key: String) -> Double { get(key, \.number) }
    package func duration(_ key: String) -> MediaTime { get(key, \.duration) }
    package func string(_ key: String) -> String { get(key, \.string) }
    package func boolean(_ key: String) -> Bool { get(key, \.boolean) }
    package func path(_ key: String) -> String { get(key, \.path) }
    package func model(_ key: String) -> ModelReference { get(key, \.model) }
    package func stages(_ key: String) -> [StageID] { get(key, \.stages) }
    package func size(_ key: String) -> PixelSize { get(key, \.size) }
    package func rectangles(_ key: String) -> [UnitRectangle] { get(key, \.rectangles) }

    private func get<Value>(_ key: String, _ part: (SettingValue) -> Value?) -> Value {
        guard let value = values[key].flatMap(part) else {
            preconditionFailure("setting \(key) is \(values[key].map { "\($0)" } ?? "not set")")
        }
        return value
    }
}

extension SettingValue {
    package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    package var number: Double? { if case .number(let value) = self { value } else { nil } }
    package var duration: MediaTime? { if case .duration(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
    package var path: String? { if case .path(let value) = self { value } else { nil } }
    package var model: ModelReference? { if case .model(let value) = self { value } else { nil } }
    package var stages: [StageID]? { if case .stages(let value) = self { value } else { nil } }
    package var size: PixelSize? { if case .size(let value) = self { value } else { nil } }
    package var rectangles: [UnitRectangle]? { if case .rectangles(let value) = self { value } else { nil } }
}
