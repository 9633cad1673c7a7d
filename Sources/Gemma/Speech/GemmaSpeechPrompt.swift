import Kernels

/// The turn around the sound of an utterance, cut where the sound goes in.
struct GemmaSpeechPrompt {
    /// `<bos>` up to `<start_of_audio>`: the same for every utterance.
    let prefix: GemmaPrompt
    /// `<end_of_audio>` up to where the model answers.
    let tail: GemmaPrompt
    private let audioToken: Int

    /// - Throws: What `hardEmbedding` throws.
    init(_ task: GemmaSpeechTask, chat: GemmaChat, hardEmbedding: (Int) throws -> [Float]) throws {
        let whole = chat.prompt([GemmaChat.Turn(.user, [.text(task.instruction), .audio(tokens: 1)])])
        let place = whole.media[0]
        audioToken = whole.ids[place.lowerBound]
        prefix = GemmaPrompt(Array(whole.ids[..<place.lowerBound]))
        tail = try GemmaPrompt(Array(whole.ids[place.upperBound...]), config: chat.config, hardEmbedding: hardEmbedding)
    }

    /// Soft tokens as a prompt.
    func sound(_ tokens: ArraySlice<HeardSound.Token>) -> GemmaPrompt {
        var prompt = GemmaPrompt()
        guard let width = tokens.first?.rows.columns else { return prompt }
        let rows = Tensor<Float>(tokens.count, width, filledWith: 0)
        for (row, token) in tokens.enumerated() {
            rows.copy(token.rows, from: token.row * width, count: width, to: row * width)
        }
        prompt.append(rows, id: audioToken)
        return prompt
    }
}
