package import Kernels
import Layers

/// What stands between an encoder and the text model: RMS(P · RMS(x; norm)), the outer norm without a scale.
///
/// Soft embeddings are made of an encoder's outputs, hard ones of the ids of its own vocabulary.
package struct GemmaSoftEmbedder: Sendable {
    /// Ids that have a hard embedding.
    package let ids: Range<Int>
    package let textWidth: Int
    private let embedding: Tensor<Float>  // [ids, D]
    private let projection: Linear  // [text width, D]
    private let softNorm, hardNorm, outerNorm: RMSNorm

    /// - Parameters:
    ///   - prefix: `embed_vision.` or `embed_audio.`.
    ///   - width: D, of the encoder's outputs.
    ///   - softScale: What the reference multiplies the encoder's outputs by; a norm sees it beside its epsilon only.
    /// - Throws: A typed error of the container.
    init(
        _ source: some GemmaTensorSource, prefix: String, ids: Range<Int>, width: Int, textWidth: Int, epsilon: Double,
        softScale: Double = 1
    ) throws {
        (self.ids, self.textWidth) = (ids, textWidth)
        embedding = Tensor(
            try source.floats("\(prefix)embedding.weight", shape: [ids.count, width]), shape: ids.count, width)
        projection = try source.linear(
            MatrixPart("\(prefix)embedding_projection.weight", rows: textWidth, columns: width))
        softNorm = RMSNorm(
            weight: try source.floats("\(prefix)soft_embedding_norm.weight", shape: [width]),
            epsilon: Float(epsilon / (softScale * softScale)))
        hardNorm = RMSNorm(
            weight: try source.floats("\(prefix)hard_embedding_norm.weight", shape: [width]), epsilon: Float(epsilon))
        outerNorm = RMSNorm(width: textWidth, epsilon: Float(epsilon))
    }

    /// - Parameters:
    ///   - outputs: [≥ rows, D] of the encoder; becomes scratch.
    ///   - tokens: [≥ rows, text width].
    package func embed(_ outputs: Tensor<Float>, rows: Int, into tokens: Tensor<Float>, pool: ThreadPool) {
        finish(outputs, rows: rows, norm: softNorm, into: tokens, pool: pool)
    }

    /// The embedding of one of `ids`: [text width].
    package func hardEmbedding(id: Int) -> [Float] {
        precondition(ids.contains(id), "\(id) is none of \(ids)")
        let row = Tensor<Float>(1, embedding.columns, filledWith: 0)
        row.copy(embedding, from: (id - ids.lowerBound) * embedding.columns, count: embedding.columns, to: 0)
        let token = Tensor<Float>(1, textWidth, filledWith: 0)
        finish(row, rows: 1, norm: hardNorm, into: token, pool: .single)
        return token.array
    }

    private func finish(_ x: Tensor<Float>, rows: Int, norm: RMSNorm, into tokens: Tensor<Float>, pool: ThreadPool) {
        norm(x, rows: rows, into: x, pool: pool)
        projection(x, rows: rows, into: tokens, pool: pool)
        outerNorm(tokens, rows: rows, into: tokens, pool: pool)
    }
}
