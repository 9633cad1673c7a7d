/// What a message of the socket says about a transcript.
package enum TranscriptUpdate: Equatable, Sendable {
    case partial(PartialTranscript)
    case final(FinalTranscript)
    case discarded(utt: Int)

    /// nil if the message is about something else, or malformed.
    package init?(wire: JSONValue) {
        switch wire["event"]?.string {
        case "transcript.partial":
            guard let partial = PartialTranscript(wire: wire) else { return nil }
            self = .partial(partial)
        case "transcript.final":
            guard let final = FinalTranscript(wire: wire) else { return nil }
            self = .final(final)
        case "transcript.discarded":
            guard let utt = wire["utt"]?.int else { return nil }
            self = .discarded(utt: utt)
        default: return nil
        }
    }
}
