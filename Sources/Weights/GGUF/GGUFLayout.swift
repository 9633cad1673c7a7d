/// Where everything lies in a GGUF file that is to be written, and its header.
struct GGUFLayout {
    struct Refusal: Error {
        let reason: String
    }

    private(set) var header: [UInt8]
    /// Of the tensors that have any bytes, in the file.
    private(set) var payloads: [(name: String, range: Range<Int>)] = []
    private(set) var byteCount = 0

    private static let version: UInt32 = 3
    private static let maxRank = 4  // of other readers
    private static let alignmentKey = "general.alignment"

    init(metadata: [(key: String, value: GGUFValue)], tensors: [GGUFWriter.Plan]) throws(Refusal) {
        var values = metadata.filter { $0.key != Self.alignmentKey }
        values.append((Self.alignmentKey, .uint32(UInt32(GGUFWriter.alignment))))
        guard values.count <= GGUFReader.maxValues, tensors.count <= GGUFReader.maxTensors else {
            throw Refusal(reason: "\(values.count) values and \(tensors.count) tensors are too many")
        }
        header = GGUFReader.magic + GGUFValue.encoded(Self.version)
        header += GGUFValue.encoded(UInt64(tensors.count)) + GGUFValue.encoded(UInt64(values.count))
        var names: Set<String> = []
        for (key, value) in values {
            try header += Self.name(key, &names)
            header += GGUFValue.encoded(value.kind.rawValue) + value.bytes
        }
        names = []
        var end = 0  // of the payloads so far
        var ranges: [Range<Int>] = []
        for tensor in tensors {
            try header += Self.name(tensor.name, &names)
            guard let type = tensor.type.ggmlNumber, let bytes = tensor.type.byteCount(shape: tensor.shape),
                tensor.shape.count <= Self.maxRank, bytes <= Int.max / 4 - end
            else {
                throw Refusal(
                    reason: "'\(tensor.name)' cannot be \(tensor.type.rawValue) \(tensor.shape) in a GGUF file")
            }
            header += GGUFValue.encoded(UInt32(tensor.shape.count))
            for dimension in tensor.shape.reversed() { header += GGUFValue.encoded(UInt64(dimension)) }
            header += GGUFValue.encoded(type) + GGUFValue.encoded(UInt64(end))
            ranges.append(end..<(end + bytes))
            end = Self.aligned(end + bytes)
        }
        let start = Self.aligned(header.count)
        byteCount = start + end
        payloads = zip(tensors, ranges).filter { !$1.isEmpty }.map { tensor, range in
            (tensor.name, (start + range.lowerBound)..<(start + range.upperBound))
        }
    }

    private static func name(_ name: String, _ names: inout Set<String>) throws(Refusal) -> [UInt8] {
        guard names.insert(name).inserted else { throw Refusal(reason: "'\(name)' comes twice") }
        guard name.utf8.count <= GGUFReader.maxNameBytes else {
            throw Refusal(reason: "a name of \(name.utf8.count) bytes is too long")
        }
        return GGUFValue.encoded(name)
    }

    private static func aligned(_ offset: Int) -> Int {
        (offset + GGUFWriter.alignment - 1) / GGUFWriter.alignment * GGUFWriter.alignment
    }
}
