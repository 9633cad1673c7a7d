package import Graph
package import Media
package import Scenes
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

extension SceneUpdate: PortValue {
    package static let port = PortType("descriptions")
}
