/// What can go wrong between a checkpoint and labels.
package enum EfficientNetError: Error, Equatable {
    /// The tensors are of none of the networks we know.
    case unknownArchitecture(path: String)
}

extension EfficientNetError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownArchitecture(let path):
            "'\(path)' is not an EfficientNet-Lite. Pull one with `narrator models pull efficientnet-lite0`, or name another file."
        }
    }
}
