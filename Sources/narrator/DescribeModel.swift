import Catalog
import Daemon
import EfficientNet
import Graph
import Kernels
import Media
import Scenes
import Signal
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

/// The one place where the command meets a model.
/// - Throws: what says how to get the model.
func makeDescriber(
    _ model: ModelReference, pool: ThreadPool, report: @escaping (String) -> Void
) throws -> any PictureDescriber {
    let folder = try StoreLocator(.standard()).locate(model)
    return Labeller(try EfficientNetModel(Checkpoint.open(folder)), pool: pool, report: report)
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
