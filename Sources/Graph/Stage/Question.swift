/// A question to the models of a graph.
package struct Question: Hashable, Sendable {
    /// Which picture it is about.
    package enum Frame: Hashable, Sendable {
        case none, newest
        /// The picture of a scene that was told.
        case scene(Int)
    }

    /// Unique for a run.
    package let id: Int
    package let prompt: String
    /// What was said lately, a line an utterance.
    package let heard: String
    package let frame: Frame

    package init(id: Int, prompt: String, heard: String = "", frame: Frame) {
        (self.id, self.prompt, self.heard, self.frame) = (id, prompt, heard, frame)
    }
}
