package import Graph
package import Media
package import Speech

// What travels between the stages of speech.

extension UtterancePiece: PortValue {
    package static let port = PortType("utterances")
}

extension Speech.TranscriptUpdate: PortValue {
    package static let port = PortType("transcript")
}

/// Mono sound at 16 kHz: what `endpoint` and the models take.
package struct SpeechBlock: PortValue {
    package static let port = PortType("speech, 16 kHz mono")
    package let block: AudioBlock
}
