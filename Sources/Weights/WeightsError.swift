/// What can be wrong with a checkpoint, or with what is asked of it.
package enum WeightsError: Error, Equatable {
    /// Nothing is at that path, or a folder without a checkpoint in it.
    case notFound(path: String)
    /// Something is there, but the system does not let us map it.
    case unreadable(path: String, reason: String)
    /// The first bytes are of none of the formats we read.
    case unknownFormat(path: String)
    /// A CTranslate2 file of another generation.
    case unsupportedVersion(path: String, version: Int, supported: ClosedRange<Int>)
    /// The file contradicts itself or its length. `offset` is in bytes from its beginning.
    case damaged(path: String, offset: Int, what: String)
    case noSuchTensor(name: String)
    case wrongShape(name: String, found: [Int], expected: [Int])
    case wrongType(name: String, found: ElementType, wanted: String)
    /// The scale beside a quantised tensor cannot be used.
    case badScale(name: String, what: String)
}

extension WeightsError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let path):
            "No checkpoint at '\(path)'. Give a model.bin, a .safetensors or .pth file, or a folder that holds one."
        case .unreadable(let path, let reason):
            "Cannot read '\(path)': \(reason). Check the path and its permissions."
        case .unknownFormat(let path):
            "'\(path)' is no CTranslate2 model.bin, safetensors file or torch checkpoint. Convert it, or give another file."
        case .unsupportedVersion(let path, let version, let supported):
            "'\(path)' is a CTranslate2 file of version \(version); versions \(supported.lowerBound) to "
                + "\(supported.upperBound) can be read. Convert the model again with a matching CTranslate2."
        case .damaged(let path, let offset, let what):
            "'\(path)' is damaged at byte \(offset): \(what). Fetch it again."
        case .noSuchTensor(let name):
            "The checkpoint has no tensor '\(name)'. Is it of the model you named? `narrator models inspect` lists its tensors."
        case .wrongShape(let name, let found, let expected):
            "Tensor '\(name)' has the shape \(found), expected \(expected). Use a checkpoint of the model you named."
        case .wrongType(let name, let found, let wanted):
            "Tensor '\(name)' is of type \(found.rawValue), wanted \(wanted). Convert the checkpoint to a type we read."
        case .badScale(let name, let what):
            "The scale '\(name)' \(what). Convert the checkpoint again."
        }
    }
}
