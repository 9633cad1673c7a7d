package import Media

/// What leaves a describing stage: the story of each scene, in order, ending in exactly one `final`.
package enum SceneUpdate: Sendable {
    /// A class that a labeller found.
    package struct Label: Hashable, Sendable {
        /// In plain English.
        package var name: String
        /// 0...1
        package var probability: Float

        package init(name: String, probability: Float) {
            self.name = name
            self.probability = probability
        }
    }

    package struct Final: Sendable {
        package var scene: Scene
        package var text: String
        /// Most probable first; nil from a model that has no classes.
        package var labels: [Label]?
        /// Tokens that the description took; 0 for a labeller.
        package var tokens: Int
        /// From the picture's arrival at the model to this text, by the wall.
        package var latency: MediaTime

        package init(scene: Scene, text: String, labels: [Label]? = nil, tokens: Int = 0, latency: MediaTime) {
            self.scene = scene
            self.text = text
            self.labels = labels
            self.tokens = tokens
            self.latency = latency
        }
    }

    case started(Scene)
    /// What is new of the text.
    case delta(Scene, text: String)
    case final(Final)
}
