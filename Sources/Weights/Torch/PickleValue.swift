/// What an object of a torch pickle can become here: tensors and what they are made of, nothing else.
///
/// Values nest no deeper than a tensor's arguments do (a tuple of tuples), so freeing one never recurses far; dictionaries
/// keep tensors and lists keep texts only, so nothing can contain itself.
enum PickleValue {
    case none
    case boolean(Bool)
    case integer(Int)
    case text(String)
    /// At most `maxElements`; `depth` is 1 for a tuple without tuples in it.
    case tuple([PickleValue], depth: Int)
    case list(PickleList)
    case dictionary(PickleDictionary)
    case global(PickleGlobal)
    case storage(PickleStorage)
    case tensor(PickleTensor)

    /// Of a tuple: a tensor has seven arguments.
    static let maxElements = TensorEntry.maxRank
    static let maxDepth = 2

    var depth: Int { if case .tuple(_, let depth) = self { depth } else { 0 } }
}

/// The names that a pickle may mention. `torch.FloatStorage` and its kin stand for what their elements are.
enum PickleGlobal: Equatable {
    case orderedDictionary
    case rebuildTensor
    case rebuildParameter
    case storageType(ElementType)

    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch", _):
            guard let type = Self.storageTypes[name] else { return nil }
            self = .storageType(type)
        default: return nil
        }
    }

    private static let storageTypes: [String: ElementType] = [
        "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
        "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
        "ByteStorage": .uint8, "BoolStorage": .bool
    ]
}

/// A run of elements that lies elsewhere in the file.
struct PickleStorage: Equatable {
    let key: String
    let type: ElementType
    let count: Int
}

/// A part of a storage without gaps: `offset` in elements; offset + product of `shape` ≤ storage.count.
struct PickleTensor {
    let storage: PickleStorage
    let offset: Int
    let shape: [Int]
    let axisOrder: [Int]  // see TensorEntry
}

final class PickleList {
    var texts: [String] = []
}

final class PickleDictionary {
    /// In the order of the file; a name may come twice.
    var tensors: [(name: String, tensor: PickleTensor)] = []
}
