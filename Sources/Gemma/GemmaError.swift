/// What can go wrong between a Gemma checkpoint and a token.
package enum GemmaError: Error, Equatable {
    case missing(file: String)
    /// A config.json that is none, or not one of a model we run; all problems at once.
    case badConfig(file: String, problems: [String])
    /// The tensors are not those of a Gemma 3n.
    case badTensors(file: String, reason: String)
    /// A sub-model that the checkpoint does not hold.
    case badSlice(reason: String)
    /// The tokenizer is not the one of the checkpoint.
    case badTokenizer(reason: String)
    /// It is quantised and cannot be had in 32 bits.
    case isQuantized(file: String)
    case badToken(id: Int, vocabulary: Int)
    case tooLong(tokens: Int, held: Int, limit: Int)
}

extension GemmaError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing(let file):
            "\(file) is missing. A Gemma model is a folder in Hugging Face form: config.json and model.safetensors."
        case .badConfig(let file, let problems):
            "\(file) can't be used: \(problems.joined(separator: "; ")). Fetch it again, or use a Gemma 3n checkpoint."
        case .badTensors(let file, let reason):
            "\(file) can't be used: \(reason). Fetch it again, or use a Gemma 3n checkpoint."
        case .badSlice(let reason):
            "This sub-model can't be made: \(reason). Keep other layers, or narrower ones."
        case .badTokenizer(let reason):
            "The tokenizer does not fit the model: \(reason). Put both files of one checkpoint into the folder."
        case .isQuantized(let file):
            "'\(file)' is quantised: f32 needs the checkpoint it was made of. Leave the weights out, or name that one."
        case .badToken(let id, let vocabulary):
            "Token \(id) has no embedding: text ids are below \(vocabulary). Give embeddings for sounds and pictures."
        case .tooLong(let tokens, let held, let limit):
            "\(tokens) tokens behind \(held) are more than the \(limit) positions of this conversation. "
                + "Shorten the prompt or start anew."
        }
    }
}
