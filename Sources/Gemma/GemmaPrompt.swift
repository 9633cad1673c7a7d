package import Kernels

/// What is fed to the decoder: text tokens, and rows of embeddings that stand for sound and pictures.
package struct GemmaPrompt: Sendable {
    package private(set) var ids: [Int] = []
    private var overlays: [(first: Int, rows: Tensor<Float>)] = []

    package init() {}

    package init(_ ids: [Int]) { self.ids = ids }

    /// Ids of which some lie behind the text vocabulary: those have embeddings of their own.
    /// - Parameters:
    ///   - softTokens: What fills the ids that stand for sounds and pictures, in order: [tokens, width] each.
    ///   - hardEmbedding: Of any other such id: [width].
    /// - Throws: What `hardEmbedding` throws.
    package init(
        _ ids: [Int], config: GemmaConfig, softTokens: [Tensor<Float>] = [], hardEmbedding: (Int) throws -> [Float]
    ) throws {
        var soft = softTokens[...]
        var position = 0
        while position < ids.count {
            let id = ids[position]
            if id == config.audioToken || id == config.imageToken, let rows = soft.popFirst() {
                append(rows, id: id)
                position += rows.rows
                continue
            }
            if id < config.text.textVocabulary {
                append([id])
            } else {
                let row = try hardEmbedding(id)
                append(Tensor(row, shape: 1, row.count), id: id)
            }
            position += 1
        }
    }

    package var count: Int { ids.count }

    package mutating func append(_ ids: [Int]) { self.ids += ids }

    package mutating func append(_ other: GemmaPrompt) {
        overlays += other.overlays.map { ($0.first + ids.count, $0.rows) }
        ids += other.ids
    }

    /// - Parameters:
    ///   - embeddings: [tokens, width]: inputs of the decoder as they are, not scaled any more.
    ///   - id: What the tokens count as in the table of per-layer embeddings.
    package mutating func append(_ embeddings: Tensor<Float>, id: Int) {
        overlays.append((ids.count, embeddings))
        ids += Array(repeating: id, count: embeddings.rows)
    }

    /// The given embedding of a token, or nil for one that is looked up.
    func overlay(at position: Int) -> (rows: Tensor<Float>, row: Int)? {
        // A prompt has a few overlays; the last that begins at or before the position is the only candidate.
        guard let overlay = overlays.last(where: { $0.first <= position }) else { return nil }
        return position - overlay.first < overlay.rows.rows ? (overlay.rows, position - overlay.first) : nil
    }

    /// - Throws: `GemmaError.badToken` for an id that is neither text nor has an embedding.
    func check(_ config: GemmaTextConfig) throws(GemmaError) {
        for (position, id) in ids.enumerated() {
            if let overlay = overlay(at: position) {
                precondition(
                    overlay.rows.columns == config.width, "\(overlay.rows.shape) for a width of \(config.width)")
            } else if !(0..<config.textVocabulary).contains(id) {
                throw .badToken(id: id, vocabulary: config.textVocabulary)
            }
        }
    }
}
