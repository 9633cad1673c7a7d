import ArgumentParser
import Weights

/// The command line: arguments in, a `Daemon` or a one-shot out.
@main
struct Narrator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "narrator",
        abstract: "Listens to a microphone and looks through a camera, and tells what it hears and sees.",
        version: "narrator \(version)",
        subcommands: [
            Run.self, Check.self, Transcribe.self, Describe.self, Ask.self, Bench.self, Devices.self,
            Listen.self, Send.self, Status.self, Mute.self, Unmute.self,
            Models.self
        ])

    static let version = "0.1.0"

    static func main() async {
        MappedFiles.endProcessOnLostPage(status: ExitStatus.badData.rawValue)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            failure.report()
            exit(withError: ExitCode(failure.status.rawValue))
        } catch {
            exit(withError: error)
        }
    }
}
