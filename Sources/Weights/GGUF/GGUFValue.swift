/// The kinds of values in the header of a GGUF file, by their numbers in it.
enum GGUFKind: UInt32 {
    case uint8, int8, uint16, int16, uint32, int32, float32, flag, text, array, uint64, int64, float64

    /// Bytes of one; nil of texts and arrays, which tell their length themselves.
    var bytes: Int? {
        switch self {
        case .uint8, .int8, .flag: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .text, .array: nil
        }
    }
}

/// A value for the header of a GGUF file that is written.
package struct GGUFValue: Sendable, Equatable {
    let kind: GGUFKind
    let bytes: [UInt8]  // as they lie in the file

    package static func text(_ text: String) -> GGUFValue { GGUFValue(kind: .text, bytes: encoded(text)) }
    package static func flag(_ flag: Bool) -> GGUFValue { GGUFValue(kind: .flag, bytes: [flag ? 1 : 0]) }
    package static func uint32(_ number: UInt32) -> GGUFValue { GGUFValue(kind: .uint32, bytes: encoded(number)) }
    package static func int32(_ number: Int32) -> GGUFValue { GGUFValue(kind: .int32, bytes: encoded(number)) }
    package static func uint64(_ number: UInt64) -> GGUFValue { GGUFValue(kind: .uint64, bytes: encoded(number)) }
    package static func float32(_ number: Float) -> GGUFValue {
        GGUFValue(kind: .float32, bytes: encoded(number.bitPattern))
    }

    package static func texts(_ texts: [String]) -> GGUFValue {
        array(of: .text, count: texts.count, texts.lazy.map(encoded))
    }
    package static func flags(_ flags: [Bool]) -> GGUFValue {
        array(of: .flag, count: flags.count, flags.lazy.map { [$0 ? 1 : 0] })
    }
    package static func uint32s(_ numbers: [UInt32]) -> GGUFValue {
        array(of: .uint32, count: numbers.count, numbers.lazy.map(encoded))
    }
    package static func int32s(_ numbers: [Int32]) -> GGUFValue {
        array(of: .int32, count: numbers.count, numbers.lazy.map(encoded))
    }
    package static func float32s(_ numbers: [Float]) -> GGUFValue {
        array(of: .float32, count: numbers.count, numbers.lazy.map { encoded($0.bitPattern) })
    }

    private static func array(of kind: GGUFKind, count: Int, _ items: some Sequence<[UInt8]>) -> GGUFValue {
        var bytes = encoded(kind.rawValue) + encoded(UInt64(count))
        for item in items { bytes += item }
        return GGUFValue(kind: .array, bytes: bytes)
    }

    static func encoded(_ text: String) -> [UInt8] { encoded(UInt64(text.utf8.count)) + Array(text.utf8) }

    static func encoded(_ number: some FixedWidthInteger & BitwiseCopyable) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}
