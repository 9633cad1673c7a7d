import Catalog
import Weights

extension CommandFailure {
    init(_ error: CatalogError) {
        let status: ExitStatus =
            switch error {
            case .unknownModel: .usage
            case .noSuchPath, .notPulled: .missing
            case .damaged: .badData
            case .pullFailed, .cancelled: .unavailable
            case .storeFailed, .gated: .notPermitted
            }
        self.init(status, error.description)
    }

    init(_ error: WeightsError) {
        let status: ExitStatus =
            switch error {
            case .notFound, .unreadable, .missingShard, .ambiguous: .missing
            case .cannotWrite: .notPermitted
            case .unknownFormat, .unsupportedVersion, .unsupportedType, .damaged, .rewritten, .noSuchTensor,
                .wrongShape, .wrongType,
                .badScale, .emptyTensor, .noSuchValue, .wrongValue:
                .badData
            }
        self.init(status, error.description)
    }
}
