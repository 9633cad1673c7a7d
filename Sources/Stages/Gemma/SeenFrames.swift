package import Graph
package import Kernels
package import Media
package import Scenes
import Synchronization

/// A picture as Gemma's decoder takes it, and what it is wanted for.
package struct SeenFrame: PortValue {
    package enum Subject: Sendable {
        case scene(Scene)
        case question(Question)
    }

    package static let port = PortType("soft tokens of pictures")
    package let subject: Subject
    /// [256, width of the text model]; nil for a question without a picture.
    package private(set) var tokens: Tensor<Float>?
    /// When the picture or the question came, by the wall.
    package let arrival: MediaTime

    package init(subject: Subject, arrival: MediaTime) { (self.subject, self.arrival) = (subject, arrival) }

    package func with(_ tokens: Tensor<Float>) -> SeenFrame {
        var frame = self
        frame.tokens = tokens
        return frame
    }
}

/// Pictures that were embedded lately, for further questions about them.
package final class SeenFrames: Sendable {
    package struct Entry: Sendable {
        /// The scene it was told as; nil for a picture that was looked at for a question only.
        package let scene: SceneID?
        /// Stream time of the picture.
        package let time: MediaTime
        package let tokens: Tensor<Float>
    }

    /// Of each stage: 2 MB each at the published width.
    private static let capacity = 8

    private let entries = Mutex<[StageID: [Entry]]>([:])

    package init() {}

    package func keep(_ entry: Entry, of stage: StageID) {
        entries.withLock { $0[stage] = ($0[stage] ?? []).suffix(Self.capacity - 1) + [entry] }
    }

    package func frame(at time: MediaTime, of stage: StageID) -> Entry? {
        entries.withLock { $0[stage]?.last { $0.time == time } }
    }

    package func scene(_ scene: SceneID, of stage: StageID) -> Entry? {
        entries.withLock { $0[stage]?.last { $0.scene == scene } }
    }

    package func forget(_ stage: StageID) { entries.withLock { $0[stage] = nil } }

    /// Numbers of the scenes that are kept, oldest first.
    package func scenes(of stage: StageID) -> [Int] {
        entries.withLock { ($0[stage] ?? []).compactMap { $0.scene?.number } }
    }
}
