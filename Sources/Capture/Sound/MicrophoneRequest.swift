package import Media

/// What is asked of a microphone. All but the name are wishes: what came of them stands in `MicrophoneFormat`.
package struct MicrophoneRequest: Sendable, Equatable {
    /// An ALSA name: `default`, `hw:CARD=Device,DEV=0`, `plughw:1`.
    package var device: String
    /// nil: the device's own rate that is nearest to 48 kHz, as our resampler is better than ALSA's.
    package var rateHz: Int?
    /// nil: two where there are two, as the channel policy decides better than a driver which one is good.
    package var channels: Int?
    /// In order of preference; the first that the device has is taken.
    package var formats: [SampleFormat]
    /// How often the thread wakes: less than a chunk of the voice detector (32 ms), so that it adds next to nothing to
    /// the latency, and at 50 times a second nothing to speak of to the load.
    package var periodMilliseconds = 20
    /// How long scheduling may hold the thread up before sound is lost: 25 periods. Adds no latency, as the thread reads
    /// whatever there is.
    package var bufferMilliseconds = 500

    /// Finest first: whatever the hardware delivers then arrives unharmed.
    package static let finestFirst: [SampleFormat] = [.s32, .s24Packed, .s24, .float32, .s16]

    package init(
        device: String = "default", rateHz: Int? = nil, channels: Int? = nil,
        formats: [SampleFormat] = MicrophoneRequest.finestFirst
    ) {
        self.device = device
        self.rateHz = rateHz
        self.channels = channels
        self.formats = formats
    }

    static let nativeRateHz = 48_000
    static let nativeChannels = 2
}
