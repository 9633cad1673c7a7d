/// What can go wrong between a model directory and a transcript.
package enum WhisperError: Error, Equatable {
    case missing(file: String)
    case unusable(file: String, reason: String)
    case unknownLanguage(String, nearest: [String])
    case englishOnly(model: String, wanted: String)
}

extension WhisperError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing(let file):
            "\(file) is missing. A Whisper model is a folder in CTranslate2 form: model.bin, config.json, vocabulary.txt."
        case .unusable(let file, let reason):
            "\(file) can't be used: \(reason). Pull the model again or name another."
        case .unknownLanguage(let language, let nearest):
            "No language '\(language)' in this model. Use a two-letter code such as \(nearest.joined(separator: ", "))."
        case .englishOnly(let model, let wanted):
            "\(model) knows English only, so it can't do \(wanted). Use a multilingual model such as whisper-base."
        }
    }
}
