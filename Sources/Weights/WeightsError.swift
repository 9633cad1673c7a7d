/// What can be wrong with a checkpoint, or with what is asked of it.
package enum WeightsError: Error, Equatable {
    /// Nothing is at that path, or a folder without a checkpoint in it.
    case notFound(path: String)
    /// Something is there, but the system does not let us map it.
    case unreadable(path: String, reason: String)
    /// The first bytes are of none of the formats we read.
    case unknownFormat(path: String)
    /// A folder with more than one checkpoint and no index that joins them.
    case ambiguous(path: String, candidates: [String])
    /// A file that the index of a sharded checkpoint names.
    case missingShard(path: String, index: String)
    /// A file of another generation of its format.
    case unsupportedVersion(path: String, format: String, version: Int, supported: ClosedRange<Int>)
    /// A block type of GGUF that we do not read.
    case unsupportedType(path: String, name: String, type: String)
    /// The file contradicts itself or its length. `offset` is in bytes from its beginning.
    case damaged(path: String, offset: Int, what: String)
    /// Somebody wrote to a file that is mapped.
    case rewritten(path: String)
    case noSuchTensor(name: String)
    case wrongShape(name: String, found: [Int], expected: [Int])
    case wrongType(name: String, found: ElementType, wanted: String)
    /// The scale beside a quantised tensor cannot be used.
    case badScale(name: String, what: String)
    /// Asked for the bytes of a tensor without elements.
    case emptyTensor(name: String)
    /// The header of a GGUF file has no value of that key.
    case noSuchValue(path: String, key: String)
    case wrongValue(path: String, key: String, found: String, wanted: String)
    /// A file we make cannot be written, or what it is to hold does not fit the format.
    case cannotWrite(path: String, reason: String)
}

extension WeightsError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let path):
            "No checkpoint at '\(path)'. Give a .gguf, .safetensors, .pth or model.bin file, or a folder that holds one."
        case .unreadable(let path, let reason):
            "Cannot read '\(path)': \(reason). Check the path and its permissions."
        case .unknownFormat(let path):
            "'\(path)' is no GGUF, safetensors, torch or CTranslate2 checkpoint. Convert it, or give another file."
        case .ambiguous(let path, let candidates):
            "The folder '\(path)' holds \(candidates.count) checkpoints, \(candidates.prefix(4).joined(separator: ", "))"
                + "\(candidates.count > 4 ? "..." : ""), and no index. Give one of the files, or fetch the index too."
        case .missingShard(let path, let index):
            "'\(path)' is missing, which '\(index)' names as a part. Fetch all parts into one folder."
        case .unsupportedVersion(let path, let format, let version, let supported):
            "'\(path)' is a \(format) file of version \(version); versions \(supported.lowerBound) to "
                + "\(supported.upperBound) can be read. Convert the model again with a matching converter."
        case .unsupportedType(let path, let name, let type):
            "'\(path)' stores '\(name)' as \(type), which is not supported. Use a file in Q4_0, Q4_K, Q5_K, Q6_K, Q8_0, "
                + "F16 or BF16."
        case .damaged(let path, let offset, let what):
            "'\(path)' is damaged at byte \(offset): \(what). Fetch it again."
        case .rewritten(let path):
            "'\(path)' was written to while it was in use: nothing that comes of it can be relied on. Make sure that the right "
                + "file is there, then start again."
        case .noSuchTensor(let name):
            "The checkpoint has no tensor '\(name)'. Is it of the model you named? `narrator models inspect` lists its tensors."
        case .wrongShape(let name, let found, let expected):
            "Tensor '\(name)' has the shape \(found), expected \(expected). Use a checkpoint of the model you named."
        case .wrongType(let name, let found, let wanted):
            "Tensor '\(name)' is of type \(found.rawValue), wanted \(wanted). Convert the checkpoint to a type we read."
        case .badScale(let name, let what):
            "The scale '\(name)' \(what). Convert the checkpoint again."
        case .emptyTensor(let name):
            "Tensor '\(name)' has no elements. Use a checkpoint of the model you named."
        case .noSuchValue(let path, let key):
            "'\(path)' does not tell '\(key)'. Use a file made for the model you named."
        case .wrongValue(let path, let key, let found, let wanted):
            "'\(path)' tells '\(key)' as \(found), wanted \(wanted). Use a file made for the model you named."
        case .cannotWrite(let path, let reason):
            "Cannot write '\(path)': \(reason). Free space or choose another place, then run it again."
        }
    }
}
