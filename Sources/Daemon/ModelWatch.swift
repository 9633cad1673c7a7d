import ServiceLifecycle
import Weights

/// Ends the daemon when somebody has written into a model's file that it has mapped: what comes after would be told as if
/// it were true. Started again, it verifies what lies there.
struct ModelWatch: Service {
    private static let interval = Duration.seconds(2)

    let control: DaemonControl

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil {
                guard let path = MappedFiles.rewritten.first else { continue }
                return control.fail(WeightsError.rewritten(path: path))
            }
        }
    }
}
