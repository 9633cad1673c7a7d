package import Media

/// A model as a pipeline file names it.
package struct ModelReference: Hashable, Sendable {
    /// A catalogue name or a path, as written in the file.
    package let name: String
    /// Weights asked for by an alias.
    package let weights: String?
    /// `name` taken as a path relative to the pipeline file.
    package let path: String

    package init(name: String, weights: String? = nil, path: String) {
        self.name = name
        self.weights = weights
        self.path = path
    }
}

/// What a setting may be.
package enum SettingType: Sendable {
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    /// A length of time in whole milliseconds; its key ends in `_ms`.
    case milliseconds(ClosedRange<Int>)
    /// A length of time in seconds, with a fraction or without; its key ends in `_s`.
    case seconds(ClosedRange<Double>)
    case string
    case boolean
    case choice([String])
    /// Relative to the pipeline file.
    case path
    /// An alias of the file's `models`, else a catalogue name, else a path.
    case model
    /// A model, or `none`, which is read as a string.
    case modelOrNone
    /// One stage or a list of stages of the same file.
    case stages
    /// `1280x720`
    case size
    /// `[[left, top, right, bottom], ...]`, each in 0...1 of the picture.
    case rectangles

    /// As the end of a sentence that begins with "It must be".
    var description: String {
        switch self {
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range): "a number from \(decimal(range.lowerBound)) to \(decimal(range.upperBound))"
        case .milliseconds(let range):
            "a whole number of milliseconds from \(range.lowerBound) to \(range.upperBound)"
        case .seconds(let range):
            "a number of seconds from \(decimal(range.lowerBound)) to \(decimal(range.upperBound))"
        case .string: "a text"
        case .boolean: "true or false"
        case .choice(let names): "one of: \(names.joined(separator: ", "))"
        case .path: "a path"
        case .model: "the name of a model"
        case .modelOrNone: "the name of a model, or none"
        case .stages: "a stage or a list of stages"
        case .size: "a size such as 1280x720"
        case .rectangles: "a list of rectangles [left, top, right, bottom] in 0...1, left < right and top < bottom"
        }
    }
}

/// A setting once read.
package enum SettingValue: Hashable, Sendable {
    case integer(Int)
    case number(Double)
    case duration(MediaTime)
    case string(String)
    case boolean(Bool)
    /// As given, and made absolute if the pipeline file's folder is.
    case path(String)
    case model(ModelReference)
    case stages([StageID])
    case size(PixelSize)
    case rectangles([UnitRectangle])
}

/// A setting that a kind of stage knows.
package struct SettingSpecification: Sendable {
    package let key: String
    package let type: SettingType
    /// Nil: without a value where the file gives none.
    package let defaultValue: SettingValue?
    package let isRequired: Bool
    /// It may change while the stage runs: its worker takes it by `adjust`.
    package let isLive: Bool
    /// A few words, for messages and documentation.
    package let summary: String

    private init(
        _ key: String, _ type: SettingType, _ value: SettingValue?, isRequired: Bool, isLive: Bool, _ summary: String
    ) {
        self.key = key
        self.type = type
        self.defaultValue = value
        self.isRequired = isRequired
        self.isLive = isLive
        self.summary = summary
    }

    /// The file must give it.
    package static func required(_ key: String, _ type: SettingType, _ summary: String) -> Self {
        Self(key, type, nil, isRequired: true, isLive: false, summary)
    }

    /// The file may give it, else it is `value`.
    package static func optional(
        _ key: String, _ type: SettingType, default value: SettingValue? = nil, live: Bool = false, _ summary: String
    ) -> Self {
        Self(key, type, value, isRequired: false, isLive: live, summary)
    }
}

/// A number as people write it: without a fraction that is zero.
func decimal(_ number: Double) -> String {
    let whole = Int(exactly: number.rounded())
    return whole.map(Double.init) == number ? "\(whole!)" : "\(number)"
}
