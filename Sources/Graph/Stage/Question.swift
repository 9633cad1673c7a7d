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
    package let frame: Frame

    package init(id: Int, prompt: String, frame: Frame) { (self.id, self.prompt, self.frame) = (id, prompt, frame) }
}
