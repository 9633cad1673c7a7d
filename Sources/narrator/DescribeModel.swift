import Graph
import Kernels
import Media
import Scenes

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
func makeDescriber(_ model: ModelReference, pool: ThreadPool) throws -> any PictureDescriber {
    throw CommandFailure(.missing, "No model here describes pictures yet; '\(model.name)' cannot be used.")
}
