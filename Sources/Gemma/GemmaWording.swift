/// What the model is told, where nobody says otherwise.
package enum GemmaWording {
    /// A picture.
    package static let describe = "Describe this picture."

    /// A picture of which an earlier state was described.
    package static func changes(since text: String) -> String {
        "Before, this was to be seen: \(text)\nSay in one short sentence only what is different now."
    }

    /// A question about what was said.
    /// - Parameter speech: Its lines; empty: nothing was said.
    package static func question(_ prompt: String, heard speech: String) -> String {
        speech.isEmpty ? prompt : "This was said in the room just now:\n\(speech)\n\n\(prompt)"
    }
}
