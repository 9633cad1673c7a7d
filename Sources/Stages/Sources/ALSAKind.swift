import Capture
import Graph
import Media

extension StageKind {
    /// `alsa { device, rate_hz, channels }`
    static func alsa(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "alsa", summary: "A microphone.", output: AudioBlock.port,
            settings: [
                .optional(
                    "device", .string, default: .string("default"), "an ALSA name; `narrator devices` lists them"),
                .optional("rate_hz", .integer(SoundLimits.rateHz), "what to ask for; the device's own if not given"),
                .optional("channels", .integer(SoundLimits.channels), "what to ask for; the device's own if not given")
            ],
            pace: { _ in .live },
            notes: { [DeviceList.obstacle(microphone: $0.string("device"))].compactMap { $0 } },
            make: { settings, _ in
                let request = MicrophoneRequest(
                    device: settings.string("device"), rateHz: settings["rate_hz"]?.integer,
                    channels: settings["channels"]?.integer)
                return .source(MicrophoneStage(request: request, environment: environment))
            })
    }
}
