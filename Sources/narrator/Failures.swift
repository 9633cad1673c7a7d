import Capture
import Catalog
import Daemon
import EfficientNet
import EventServer
import Gemma
import Graph
import Signal
import Tokenizers
import Weights
import Whisper

extension CommandFailure {
    /// Any error of the modules below, with its exit status.
    init(describing error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as CatalogError: self.init(error)
        case let error as WeightsError: self.init(error)
        case let error as WhisperError: self.init(error)
        case let error as EfficientNetError: self.init(.badData, "\(error)")
        case let error as GemmaError: self.init(error)
        case let error as TokenizerError: self.init(error)
        case let error as CaptureError: self.init(error)
        case let error as SignalError: self.init(error)
        case let error as TopologyError: self.init(error)
        case let error as EventServerError: self.init(error)
        case let error as GraphError: self.init(error)
        case let error as ModelsMissing:
            self.init(CommandFailure(describing: error.first).status, "\(error)")
        default: self.init(.internalFault, "\(error)")
        }
    }

    init(_ error: CaptureError) {
        let status: ExitStatus =
            switch error {
            case .fileMissing: .missing
            case .notPermitted: .notPermitted
            case .badAudio, .badPictures: .badData
            case .formatAbsurd, .sizeAbsurd: .badConfiguration
            case .deviceUnusable, .lost: .unavailable
            }
        self.init(status, "\(error)")
    }

    init(_ error: SignalError) {
        let status: ExitStatus =
            switch error {
            case .rateOutOfRange, .badPicture, .damagedPicture, .pictureTooLarge: .badData
            case .resamplerRefused: .internalFault
            }
        self.init(status, "\(error)")
    }

    init(_ error: WhisperError) {
        let status: ExitStatus =
            switch error {
            case .missing: .missing
            case .unusable: .badData
            case .unknownLanguage, .englishOnly: .usage
            }
        self.init(status, "\(error)")
    }

    init(_ error: GemmaError) {
        let status: ExitStatus =
            switch error {
            case .missing: .missing
            case .badConfig, .badTensors, .badTokenizer, .tooLong: .badData
            case .badSlice, .isQuantized: .usage
            case .badToken: .internalFault
            }
        self.init(status, "\(error)")
    }

    init(_ error: TokenizerError) {
        let status: ExitStatus =
            switch error {
            case .notFound: .missing
            case .damaged, .noSuchToken: .badData
            }
        self.init(status, "\(error)")
    }

    init(_ error: TopologyError) {
        let status: ExitStatus =
            switch error {
            case .missing: .missing
            case .unreadable, .invalid: .badConfiguration
            }
        self.init(status, "\(error)")
    }

    init(_ error: EventServerError) {
        self.init(.unavailable, "\(error)")
    }

    /// The status of what lies beneath; the message names the stage.
    init(_ error: GraphError) {
        guard case .stageFailed(let stage, let underlying) = error else {
            self.init(.internalFault, "\(error)")
            return
        }
        let beneath = CommandFailure(describing: underlying)
        self.init(beneath.status, "stage '\(stage)': \(beneath.message)")
    }
}
