import CALSA
import Glibc
import Media

extension SampleFormat {
    var alsa: snd_pcm_format_t {
        switch self {
        case .s16: SND_PCM_FORMAT_S16_LE
        case .s24: SND_PCM_FORMAT_S24_LE
        case .s24Packed: SND_PCM_FORMAT_S24_3LE
        case .s32: SND_PCM_FORMAT_S32_LE
        case .float32: SND_PCM_FORMAT_FLOAT_LE
        }
    }
}

/// What the hardware was set to.
struct ALSAHardware {
    var format: AudioFormat
    var periodFrames: Int
    var bufferFrames: Int
}

/// Asks in ALSA's order (access, format, channels, rate, period, buffer) and reads back what it got.
func configureHardware(_ pcm: OpaquePointer, _ request: MicrophoneRequest) throws(DeviceTrouble) -> ALSAHardware {
    var allocated: OpaquePointer?
    snd_pcm_hw_params_malloc(&allocated)
    let parameters = allocated!
    defer { snd_pcm_hw_params_free(parameters) }

    try check(snd_pcm_hw_params_any(pcm, parameters), "no configuration at all")
    try check(
        snd_pcm_hw_params_set_access(pcm, parameters, SND_PCM_ACCESS_RW_INTERLEAVED), "interleaved samples")
    guard
        let sampleFormat = request.formats.first(where: { snd_pcm_hw_params_test_format(pcm, parameters, $0.alsa) == 0 }
        )
    else {
        let names = request.formats.map(\.rawValue).joined(separator: ", ")
        throw .unsuitable(reason: "it has none of the sample formats \(names)")
    }
    try check(snd_pcm_hw_params_set_format(pcm, parameters, sampleFormat.alsa), sampleFormat.rawValue)

    var channels = CUnsignedInt(request.channels ?? MicrophoneRequest.nativeChannels)
    try check(snd_pcm_hw_params_set_channels_near(pcm, parameters, &channels), "\(channels) channels")

    let wantedRate = CUnsignedInt(request.rateHz ?? MicrophoneRequest.nativeRateHz)
    // A `plug` device would convert to any rate, badly: only its slave's own rates count, unless a rate is demanded
    // that it does not have.
    let native = UnsafeMutableRawPointer.allocate(byteCount: snd_pcm_hw_params_sizeof(), alignment: 16)
    defer { native.deallocate() }
    snd_pcm_hw_params_copy(OpaquePointer(native), parameters)
    snd_pcm_hw_params_set_rate_resample(pcm, OpaquePointer(native), 0)
    var rate = wantedRate
    let hasNative = snd_pcm_hw_params_set_rate_near(pcm, OpaquePointer(native), &rate, nil) == 0
    if hasNative && (rate == wantedRate || request.rateHz == nil) {
        snd_pcm_hw_params_copy(parameters, OpaquePointer(native))
    } else {
        rate = wantedRate
        try check(snd_pcm_hw_params_set_rate_near(pcm, parameters, &rate, nil), "\(wantedRate) Hz")
    }

    var period = snd_pcm_uframes_t(Int(rate) * request.periodMilliseconds / 1_000)
    try check(snd_pcm_hw_params_set_period_size_near(pcm, parameters, &period, nil), "a period of \(period) frames")
    var buffer = snd_pcm_uframes_t(Int(rate) * request.bufferMilliseconds / 1_000)
    try check(snd_pcm_hw_params_set_buffer_size_near(pcm, parameters, &buffer), "a buffer of \(buffer) frames")
    try check(snd_pcm_hw_params(pcm, parameters), "the format as a whole")

    snd_pcm_hw_params_get_channels(parameters, &channels)
    snd_pcm_hw_params_get_rate(parameters, &rate, nil)
    snd_pcm_hw_params_get_period_size(parameters, &period, nil)
    snd_pcm_hw_params_get_buffer_size(parameters, &buffer)
    let format = AudioFormat(rateHz: Int(rate), channels: Int(channels), sampleFormat: sampleFormat)
    guard SoundLimits.rateHz.contains(format.rateHz), SoundLimits.channels.contains(format.channels) else {
        throw .unsuitable(reason: "it claims \(format)")
    }
    return ALSAHardware(format: format, periodFrames: max(1, Int(period)), bufferFrames: max(1, Int(buffer)))
}

/// Wakes once a period, and stamps on the monotonic clock: ALSA's default is the wall clock, which jumps.
func configureSoftware(_ pcm: OpaquePointer, periodFrames: Int) throws(DeviceTrouble) {
    var allocated: OpaquePointer?
    snd_pcm_sw_params_malloc(&allocated)
    let parameters = allocated!
    defer { snd_pcm_sw_params_free(parameters) }
    snd_pcm_sw_params_current(pcm, parameters)
    snd_pcm_sw_params_set_avail_min(pcm, parameters, snd_pcm_uframes_t(periodFrames))
    snd_pcm_sw_params_set_tstamp_mode(pcm, parameters, SND_PCM_TSTAMP_ENABLE)
    snd_pcm_sw_params_set_tstamp_type(pcm, parameters, SND_PCM_TSTAMP_TYPE_MONOTONIC)
    try check(snd_pcm_sw_params(pcm, parameters), "wake-ups and time stamps")
}

/// - Throws: `unsuitable` for what the device will never do, else what went wrong.
private func check(_ code: CInt, _ step: String) throws(DeviceTrouble) {
    if code >= 0 { return }
    throw code == -EINVAL ? .unsuitable(reason: "it refuses \(step)") : DeviceTrouble(opening: -code)
}
