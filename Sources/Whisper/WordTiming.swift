import Glibc
import Media
import Speech
import Tokenizers

/// Words and their times out of tokens and the cross-attention that predicted them.
struct WordTiming {
    let model: WhisperModel

    /// - Parameters:
    ///   - window: a decoded window; timestamps among its tokens are left out.
    ///   - committed: words that were forced: they are returned as they are, and what follows them begins a new word.
    ///   - soundPositions: encoder positions that hold sound; what follows is padding.
    func words(of window: DecodedWindow, committed: [Word], soundPositions: Int) -> [Word] {
        let special = model.special
        let kept = window.tokens.indices.filter { special.isText(window.tokens[$0]) }
        guard !kept.isEmpty else { return [] }
        let times = align(kept.map { window.alignment[$0] }, positions: soundPositions)
        var words = committed
        let forced = committed.reduce(0) { $0 + $1.tokens.count }
        for group in groups(of: kept.map { window.tokens[$0] }, from: min(forced, kept.count)) {
            let tokens = group.range.map { window.tokens[kept[$0]] }
            let mean = group.range.reduce(Float(0)) { $0 + window.logProbabilities[kept[$1]] } / Float(tokens.count)
            // Neighbours in the alignment share a position: the earlier word keeps it.
            let start = max(time(times[group.range.lowerBound].lowerBound), words.last?.end ?? .zero)
            let end = max(time(times[group.range.upperBound - 1].upperBound), start)
            words.append(Word(text: group.text, tokens: tokens, start: start, end: end, confidence: exp(mean)))
        }
        return words
    }

    /// How many of `words` lie wholly before `limit` positions, by the peak of their tokens' attention, and are at least
    /// as sure as `surety`.
    func stableWords(_ words: [Word], of window: DecodedWindow, before limit: Int, surety: Float) -> Int {
        let peaks = window.tokens.indices.filter { model.special.isText(window.tokens[$0]) }.map { index in
            window.alignment[index].indices.max { window.alignment[index][$0] < window.alignment[index][$1] } ?? 0
        }
        var token = 0
        var stable = 0
        for word in words {
            if word.confidence < surety { return stable }
            for peak in peaks[token..<min(token + word.tokens.count, peaks.count)] where peak >= limit { return stable }
            token += word.tokens.count
            stable += 1
        }
        return stable
    }

    private func time(_ position: Int) -> MediaTime {
        MediaTime(samples: position * model.configuration.positionSamples, rateHz: model.configuration.sampleRateHz)
    }

    private struct Group {
        var range: Range<Int>
        var text: String
    }

    /// Cuts tokens into words: a word begins at a blank; in text without blanks at each whole character.
    private func groups(of tokens: [Int], from first: Int) -> [Group] {
        var groups: [Group] = []
        var bytes: [UInt8] = []
        var start = first
        for index in first..<tokens.count {
            bytes += model.tokenizer.bytes(of: tokens[index])
            guard let text = String(validating: bytes, as: UTF8.self) else {
                if index == tokens.count - 1 {  // an unfinished character at the very end
                    groups.append(Group(range: start..<index + 1, text: String(decoding: bytes, as: UTF8.self)))
                }
                continue
            }
            let startsWord = text.first == " " || groups.isEmpty || Self.standsAlone(text)
            if startsWord {
                groups.append(Group(range: start..<index + 1, text: text))
            } else {
                groups[groups.count - 1].range = groups[groups.count - 1].range.lowerBound..<index + 1
                groups[groups.count - 1].text += text
            }
            bytes = []
            start = index + 1
        }
        return groups
    }

    /// Scripts that write no blanks between words.
    private static func standsAlone(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first else { return false }
        switch first.value {
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3040...0x30FF, 0x3400...0x9FFF,
            0x20000...0x2FA1F:
            return true
        default: return false
        }
    }

    /// Positions of each token by dynamic time warping over the attention, normalised per position (Radford et al. 2022,
    /// word timestamps).
    private func align(_ rows: [[Float]], positions: Int) -> [Range<Int>] {
        let n = rows.count
        let t = min(positions, rows.map(\.count).min() ?? 0)
        guard t > 0 else { return Array(repeating: 0..<0, count: n) }
        let cost = normalised(rows, positions: t)
        var total = [Float](repeating: .infinity, count: (n + 1) * (t + 1))
        var step = [UInt8](repeating: 0, count: (n + 1) * (t + 1))  // 0 both, 1 next token, 2 next position
        total[0] = 0
        for i in 1...n {
            for j in 1...t {
                let here = i * (t + 1) + j
                let (diagonal, above, left) = (total[here - t - 2], total[here - t - 1], total[here - 1])
                let best = min(diagonal, above, left)
                step[here] = best == diagonal ? 0 : best == above ? 1 : 2
                total[here] = best - cost[(i - 1) * t + j - 1]
            }
        }
        var ranges = Array(repeating: (first: Int.max, last: 0), count: n)
        var (i, j) = (n, t)
        while i > 0, j > 0 {
            ranges[i - 1] = (min(ranges[i - 1].first, j - 1), max(ranges[i - 1].last, j))
            switch step[i * (t + 1) + j] {
            case 0: (i, j) = (i - 1, j - 1)
            case 1: i -= 1
            default: j -= 1
            }
        }
        return ranges.map { $0.first == Int.max ? 0..<0 : $0.first..<$0.last }
    }

    /// [tokens × positions]: each position's column brought to mean 0 and deviation 1, then smoothed along time.
    private func normalised(_ rows: [[Float]], positions t: Int) -> [Float] {
        let n = rows.count
        var result = [Float](repeating: 0, count: n * t)
        for j in 0..<t {
            var mean: Float = 0
            for i in 0..<n { mean += rows[i][j] }
            mean /= Float(n)
            var variance: Float = 0
            for i in 0..<n { variance += (rows[i][j] - mean) * (rows[i][j] - mean) }
            let deviation = max((variance / Float(n)).squareRoot(), 1e-9)
            for i in 0..<n { result[i * t + j] = (rows[i][j] - mean) / deviation }
        }
        return result
    }
}
