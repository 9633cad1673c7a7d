package import Gemma
package import Graph
package import Media
package import Scenes
package import Speech

// What travels between the stages of speech.

/// Sound of an utterance in a form that travels between stages.
package protocol TravellingSound: UtteranceSound {
    static var piecePort: PortType { get }
}

extension [Float]: TravellingSound {
    package static var piecePort: PortType { PortType("utterances") }
}

extension HeardSound: TravellingSound {
    package static var piecePort: PortType { PortType("soft tokens of speech") }
}

extension SpokenPiece: PortValue where Sound: TravellingSound {
    package static var port: PortType { Sound.piecePort }
}

extension Speech.TranscriptUpdate: PortValue {
    package static let port = PortType("transcript")
}

/// Mono sound at 16 kHz: what `endpoint` and the models take.
package struct SpeechBlock: PortValue {
    package static let port = PortType("speech, 16 kHz mono")
    package let block: AudioBlock
}

// What travels between the stages of sight.

/// A picture worth telling: what `scene_change` gives and picture models take.
package struct SceneFrame: PortValue {
    package static let port = PortType("scenes")
    package let scene: Scene
    package let frame: VideoFrame

    package init(scene: Scene, frame: VideoFrame) {
        self.scene = scene
        self.frame = frame
    }
}

extension AnswerUpdate: PortValue {
    package static let port = PortType("answers")
}

extension SceneUpdate: PortValue {
    package static let port = PortType("descriptions")
}
