import Foundation

/// Reads the directory of a safetensors file: u64 header length, JSON header, payload.
///
/// The header is one object: a tensor's name → `{"dtype", "shape", "data_offsets"}`, and `__metadata__`, texts by
/// name. It is read by a scanner of our own, because a general JSON parser lets the last of two equal
/// names win in silence. As the format asks, the payload has no holes and no overlaps.
struct SafetensorsReader {
    /// The bound of the format's own library.
    static let maxHeaderBytes = 100_000_000

    private(set) var directory = TensorDirectory()
    private(set) var texts: [String: String] = [:]  // of __metadata__
    private let path: String
    private let file: Int
    private let payloadStart: Int
    private let payloadBytes: Int
    private var json: JSONScanner

    /// - Parameter file: Which file of the checkpoint it is.
    init(path: String, data: Data, file: Int = 0) throws(WeightsError) {
        var reader = ByteReader(path: path, data: data)
        let length = try reader.number(UInt64.self, "the length of the header")
        guard length <= Self.maxHeaderBytes else { throw reader.damaged("it claims a header of \(length) bytes") }
        let header = try reader.skip(length, "the header")
        self.path = path
        self.file = file
        payloadStart = header.upperBound
        payloadBytes = reader.remaining
        json = JSONScanner(path: path, bytes: [UInt8](data[header]), fileOffset: header.lowerBound)
        try tensors()
        try checkCoverage()
    }

    private mutating func tensors() throws(WeightsError) {
        try json.expect("{")
        if !json.consume("}") {
            repeat {
                let name = try json.string()
                try json.expect(":")
                if name == "__metadata__" { try metadata() } else { try tensor(name) }
            } while json.consume(",")
            try json.expect("}")
        }
        try json.expectEnd()
    }

    private mutating func metadata() throws(WeightsError) {
        try json.expect("{")
        if json.consume("}") { return }
        repeat {
            let name = try json.string()
            try json.expect(":")
            guard texts.updateValue(try json.string(), forKey: name) == nil else {
                throw json.damaged("a second text '\(name)'")
            }
        } while json.consume(",")
        try json.expect("}")
    }

    private mutating func tensor(_ name: String) throws(WeightsError) {
        var type: ElementType?
        var shape: [Int]?
        var offsets: [Int]?
        try json.expect("{")
        repeat {
            let key = try json.string()
            try json.expect(":")
            switch key {
            case "dtype" where type == nil:
                let label = try json.string()
                guard let known = Self.elementType(label) else {
                    throw json.damaged("'\(name)' is of unknown type '\(label)'")
                }
                type = known
            case "shape" where shape == nil: shape = try json.numbers(atMost: TensorEntry.maxRank)
            case "data_offsets" where offsets == nil: offsets = try json.numbers(atMost: 2)
            default: throw json.damaged("'\(name)' has an unknown or a second member '\(key)'")
            }
        } while json.consume(",")
        try json.expect("}")
        guard let type, let shape, let offsets, offsets.count == 2 else {
            throw json.damaged("'\(name)' lacks dtype, shape or data_offsets")
        }
        guard offsets[0] <= offsets[1], offsets[1] <= payloadBytes else {
            throw json.damaged("'\(name)' lies at \(offsets) of \(payloadBytes) bytes")
        }
        guard type.byteCount(shape: shape) == offsets[1] - offsets[0] else {
            throw json.damaged("'\(name)' is \(type.rawValue) \(shape) but has \(offsets[1] - offsets[0]) bytes")
        }
        let range = (payloadStart + offsets[0])..<(payloadStart + offsets[1])
        guard directory.add(TensorEntry(name: name, shape: shape, type: type, file: file, byteRange: range)) else {
            throw json.damaged("a second tensor '\(name)'")
        }
    }

    private func checkCoverage() throws(WeightsError) {
        var end = payloadStart
        let ranges = directory.entries.values.map(\.byteRange)
        for range in ranges.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
            guard range.lowerBound == end else {
                throw .damaged(path: path, offset: end, what: "tensors overlap or leave a hole here")
            }
            end = range.upperBound
        }
        guard end == payloadStart + payloadBytes else {
            throw .damaged(path: path, offset: end, what: "bytes that belong to no tensor")
        }
    }

    private static func elementType(_ label: String) -> ElementType? {
        switch label {
        case "F64": .float64
        case "F32": .float32
        case "F16": .float16
        case "BF16": .bfloat16
        case "I64": .int64
        case "I32": .int32
        case "I16": .int16
        case "I8": .int8
        case "U64": .uint64
        case "U32": .uint32
        case "U16": .uint16
        case "U8": .uint8
        case "BOOL": .bool
        default: nil
        }
    }
}
