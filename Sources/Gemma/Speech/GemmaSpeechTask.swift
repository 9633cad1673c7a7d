/// What is asked of speech: the words around it.
package struct GemmaSpeechTask: Sendable, Equatable {
    /// Language of the text, as a two-letter code.
    package let language: String
    /// What stands before the sound.
    package let instruction: String

    /// The speaker's words.
    /// - Parameter language: Two-letter code of what is spoken.
    package static func transcribe(language: String = "en") -> GemmaSpeechTask {
        GemmaSpeechTask(
            language: language,
            instruction: "Transcribe the following speech segment in \(GemmaLanguages.name(of: language)):")
    }

    /// The speaker's words in another language.
    package static func translate(from language: String, to target: String) -> GemmaSpeechTask {
        GemmaSpeechTask(
            language: target,
            instruction: "Translate the following speech segment from \(GemmaLanguages.name(of: language)) "
                + "into \(GemmaLanguages.name(of: target)):")
    }

    /// Anything else.
    package static func free(_ instruction: String, language: String) -> GemmaSpeechTask {
        GemmaSpeechTask(language: language, instruction: instruction)
    }
}

/// Names of languages in English, as prompts have them.
package enum GemmaLanguages {
    private static let names = [
        "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish",
        "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian",
        "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian",
        "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian",
        "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
        "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili",
        "ta": "Tamil", "te": "Telugu", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
        "vi": "Vietnamese", "zh": "Chinese"
    ]

    /// Two-letter codes of languages that can be named.
    package static var codes: [String] { names.keys.sorted() }

    /// The name of a code; of a code that is not known the code itself, which the model may know.
    static func name(of code: String) -> String { names[code.lowercased()] ?? code }
}
