/// What can go wrong in `Silero`.
package enum SileroError: Error, Equatable {
    case wrongSize(tensor: String, expected: [Int], found: Int)
}

extension SileroError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .wrongSize(let tensor, let expected, let found):
            "The voice activity model's tensor '\(tensor)' holds \(found) values, not \(expected). "
                + "Fetch the model again with `narrator models pull silero-vad`."
        }
    }
}
