package import Media

/// A stretch of text as a subtitle shows it.
package struct TranscriptSegment: Hashable, Sendable {
    package var start: MediaTime
    package var end: MediaTime
    package var text: String

    package init(start: MediaTime, end: MediaTime, text: String) {
        (self.start, self.end, self.text) = (start, end, text)
    }

    /// Cuts words into segments: at the end of a sentence, at a pause of `pause`, and before more than `maxCharacters`
    /// stand in one (two lines of 42 characters, the usual measure of subtitles).
    package static func segments(
        of words: [Word], pause: MediaTime = MediaTime(milliseconds: 700), maxCharacters: Int = 84
    ) -> [TranscriptSegment] {
        var segments: [TranscriptSegment] = []
        var open: [Word] = []
        var length = 0
        func close() {
            guard let first = open.first, let last = open.last else { return }
            segments.append(
                TranscriptSegment(
                    start: first.start, end: max(first.start, last.end), text: StreamingTranscript.shown(open)))
            (open, length) = ([], 0)
        }
        for word in words {
            if let last = open.last {
                let sentenceEnded = last.text.last.map { ".?!。？！…".contains($0) } ?? false
                if sentenceEnded || word.start - last.end >= pause || length + word.text.count > maxCharacters {
                    close()
                }
            }
            open.append(word)
            length += word.text.count
        }
        close()
        return segments
    }
}
