import Capture
import Media
import Graph

extension StageKind {
    /// `audio_file { path, pace: realtime | fast, loop }`
    static func audioFile(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "audio_file", summary: "Plays a sound file: WAV, FLAC, OGG or MP3.", output: AudioBlock.port,
            settings: [
                .required("path", .path, "the sound file"),
                .optional("pace", .choice(Pace.allCases.map(\.rawValue)), default: .string("realtime"), "its speed"),
                .optional("loop", .boolean, default: .boolean(false), "begin again at the end")
            ],
            pace: { $0.string("pace") == "fast" ? .fast : .paced },
            notes: { settings in
                do throws(CaptureError) {
                    _ = try AudioFile(path: settings.path("path"))
                    return []
                } catch { return ["\(error)"] }
            },
            make: { settings, _ in
                let pace = Pace(rawValue: settings.string("pace")) ?? .realtime
                let (path, loops) = (settings.path("path"), settings.boolean("loop"))
                _ = try AudioFile(path: path)  // what can't be read is said before anything starts
                return .source(
                    SoundStage(report: environment.report) {
                        FilePacer(file: try AudioFile(path: path), pace: pace, loops: loops)
                    })
            })
    }
}
