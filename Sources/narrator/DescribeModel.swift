import Catalog
import Daemon
import EfficientNet
import Gemma
import Graph
import Kernels
import Media
import Scenes
import Signal
import Stages
import Weights

/// What a model says of a picture.
struct PictureDescription {
    var text: String
    /// Most probable first; nil from a model that has no classes.
    var labels: [SceneUpdate.Label]?
    /// As shown, EXIF applied.
    var size: PixelSize
    /// 0 for a labeller.
    var imageTokens = 0
}

/// Describes pictures one after the other; the model is loaded once.
protocol PictureDescriber {
    /// - Parameter bytes: of a whole picture file.
    func describe(_ bytes: [UInt8]) throws -> PictureDescription
}

/// What a model that reads is asked, and how closely it looks.
struct DescriptionRequest {
    var prompt: String?
    var resolution: Int?
}

/// The one place where the command meets a model.
/// - Throws: what says how to get the model; a usage failure for a request that the model cannot follow.
func makeDescriber(
    _ environment: StageEnvironment, _ model: ModelReference, _ request: DescriptionRequest,
    report: @escaping (String) -> Void
) throws -> any PictureDescriber {
    let pool = environment.pool
    try refuse(request, of: model, environment)
    if try environment.isGemma(model) {
        let gemma = try environment.gemma(model)
        return GemmaPictures(
            try GemmaWriter(gemma, slice: nil, positions: 4_096, pool: environment.pool),
            encoder: GemmaVisionEncoder(weights: try gemma.vision(), pool: pool), request,
            side: try gemma.model.pictureSide(), report: report)
    }
    let folder = try environment.models.locate(model)
    return Labeller(try EfficientNetModel(Checkpoint.open(folder)), pool: pool, report: report)
}

/// A labeller knows classes of things and one size of picture, pulled or not.
private func refuse(_ request: DescriptionRequest, of model: ModelReference, _ environment: StageEnvironment) throws {
    let isGemma = (try? environment.isGemma(model)) ?? model.name.hasPrefix("gemma")
    if isGemma { return }
    if request.prompt != nil {
        throw CommandFailure(
            .usage, "--prompt needs a model that takes questions; labellers do not: leave it out, or name a Gemma.")
    }
    if request.resolution != nil {
        throw CommandFailure(
            .usage, "--resolution needs a model that can choose it; labellers cannot: leave it out, or name a Gemma.")
    }
}

/// An EfficientNet that names what it sees.
private struct Labeller: PictureDescriber {
    private let model: EfficientNetModel
    private let run: EfficientNetRun
    private let report: (String) -> Void

    init(_ model: EfficientNetModel, pool: ThreadPool, report: @escaping (String) -> Void) {
        self.model = model
        self.report = report
        run = EfficientNetRun(model, pool: pool)
    }

    func describe(_ bytes: [UInt8]) throws -> PictureDescription {
        let decoded = try PictureDecoder().decode(jpeg: bytes, as: .rgb)
        if let damage = decoded.damage { report("the picture is damaged: \(damage); what is left of it is described") }
        run.begin(model.pixels(from: decoded.picture))
        while !run.step() {}
        let labels = model.labels(run.probabilities).map {
            SceneUpdate.Label(name: $0.name, probability: $0.probability)
        }
        return PictureDescription(text: LabelWording.text(labels), labels: labels, size: decoded.fullSize)
    }
}

/// A Gemma that tells what it sees.
private struct GemmaPictures: PictureDescriber {
    private let writer: GemmaWriter
    private let encoder: GemmaVisionEncoder
    private let request: DescriptionRequest
    private let report: (String) -> Void

    private let side: Int

    private static let mostTokens = 256

    init(
        _ writer: GemmaWriter, encoder: GemmaVisionEncoder, _ request: DescriptionRequest, side: Int,
        report: @escaping (String) -> Void
    ) {
        (self.writer, self.encoder, self.request, self.report) = (writer, encoder, request, report)
        self.side = request.resolution ?? side
    }

    func describe(_ bytes: [UInt8]) throws -> PictureDescription {
        let decoded = try PictureDecoder().decode(jpeg: bytes, as: .rgb)
        if let damage = decoded.damage { report("the picture is damaged: \(damage); what is left of it is described") }
        let tokens = encoder.encode(decoded.picture, resolution: side)
        try writer.begin(request.prompt ?? GemmaWording.describe, picture: tokens, limit: Self.mostTokens)
        while !writer.isIdle { _ = try writer.advance() }
        return PictureDescription(text: writer.text.trimmed, size: decoded.fullSize, imageTokens: tokens.rows)
    }
}
