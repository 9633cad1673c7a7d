package import Media

/// The number of a scene, unique for a run.
package struct SceneID: Hashable, Sendable {
    package let number: Int
    package init(_ number: Int) { self.number = number }
}

/// Why a scene is told.
package enum SceneReason: String, Sendable, CaseIterable {
    /// The first settled view.
    case first
    /// A new settled view.
    case change
    /// Nothing new, but the time between repeats is over.
    case interval
    /// Somebody asked.
    case ask
}

/// A view worth telling.
package struct Scene: Hashable, Sendable {
    package let id: SceneID
    package let reason: SceneReason
    /// Stream time of the picture.
    package let frameTime: MediaTime

    package init(id: SceneID, reason: SceneReason, frameTime: MediaTime) {
        self.id = id
        self.reason = reason
        self.frameTime = frameTime
    }
}
