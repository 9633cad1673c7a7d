import CALSA
import CShims
import CV4L2  // as for CALSA in SystemCalls: whose `timespec` a build takes is chance
import Glibc
import Media

/// A capture PCM of libasound2, opened, configured and ready to start.
///
/// `@unchecked Sendable`: one thread at a time uses it, the opener until it hands it to the capture thread, which
/// keeps it.
final class ALSADevice: @unchecked Sendable {
    let name: String
    let format: AudioFormat
    let periodFrames: Int
    let bufferFrames: Int
    private let pcm: OpaquePointer  // snd_pcm_t*
    private let status: OpaquePointer  // snd_pcm_status_t*

    init(_ request: MicrophoneRequest) throws(CaptureError) {
        let pcm = try openALSA(request.device)
        do {
            let hardware = try configureHardware(pcm, request)
            try configureSoftware(pcm, periodFrames: hardware.periodFrames, device: request.device)
            format = hardware.format
            periodFrames = hardware.periodFrames
            bufferFrames = hardware.bufferFrames
        } catch {
            snd_pcm_close(pcm)
            throw error
        }
        self.pcm = pcm
        name = request.device
        var status: OpaquePointer?
        snd_pcm_status_malloc(&status)
        self.status = status!
    }

    deinit {
        snd_pcm_status_free(status)
        snd_pcm_close(pcm)
    }

    /// Starts delivering. Returns 0 or -errno, as everything here that the capture thread calls.
    func start() -> CInt { snd_pcm_start(pcm) }

    /// Waits for a period of sound: 1 there is one, 0 time is up, -errno.
    func wait(milliseconds: CInt) -> CInt { snd_pcm_wait(pcm, milliseconds) }

    /// Frames that can be read and the monotonic time of the first of them; nil stamp if the driver gives none.
    func position() -> (available: Int, stamp: Int64?) {
        guard snd_pcm_status(pcm, status) == 0 else { return (0, nil) }
        var time = timespec()
        snd_pcm_status_get_htstamp(status, &time)
        let available = Int(snd_pcm_status_get_avail(status))
        let newest = MonotonicClock.nanoseconds(time)
        // htstamp and avail belong to one instant: the newest frame is htstamp old, the oldest avail frames older.
        let age = MediaTime(samples: available, rateHz: format.rateHz).nanoseconds
        return (available, newest > 0 ? newest - age : nil)
    }

    /// Reads up to `frames` frames into `bytes`; the count, or -errno (-EAGAIN: nothing there).
    func read(into bytes: UnsafeMutableRawBufferPointer, frames: Int) -> Int {
        snd_pcm_readi(pcm, bytes.baseAddress, snd_pcm_uframes_t(min(frames, bytes.count / format.bytesPerFrame)))
    }

    /// After an overrun or a suspend: makes the stream run again. 0 or -errno.
    func recover(from code: CInt) -> CInt {
        let recovered = snd_pcm_recover(pcm, code, 1)
        guard recovered == 0 else { return recovered }
        // A resumed stream runs already, and starting it again is an error.
        return snd_pcm_state(pcm) == SND_PCM_STATE_PREPARED ? snd_pcm_start(pcm) : 0
    }

    /// True once it is unplugged, which waiting and reading report in several ways (EIO, EBADFD, ENODEV).
    var isUnplugged: Bool { snd_pcm_state(pcm) == SND_PCM_STATE_DISCONNECTED }

    /// Stops at once; what was not read is thrown away.
    func stop() { snd_pcm_drop(pcm) }
}

private let silenced: Void = cshim_alsa_silence()

/// libasound2 would write to stderr what we say better in our errors.
func silenceALSA() { _ = silenced }

/// A capture handle in non-blocking mode.
func openALSA(_ name: String) throws(CaptureError) -> OpaquePointer {
    silenceALSA()
    var pcm: OpaquePointer?
    let code = snd_pcm_open(&pcm, name, SND_PCM_STREAM_CAPTURE, CInt(SND_PCM_NONBLOCK))
    if code == 0, let pcm { return pcm }
    switch -code {
    case EBUSY: throw .deviceBusy(name: name)
    case EACCES, EPERM: throw .notPermitted(name: name)
    case ENOENT, ENODEV, ENXIO, EINVAL:
        throw .deviceNotFound(name: name, available: DeviceList.microphones().map(\.name).filter { $0 != name })
    default: throw .lost(device: name, errno: -code)
    }
}

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

private struct Hardware {
    var format: AudioFormat
    var periodFrames: Int
    var bufferFrames: Int
}

/// Asks in ALSA's order (access, format, channels, rate, period, buffer) and reads back what it got.
private func configureHardware(_ pcm: OpaquePointer, _ request: MicrophoneRequest) throws(CaptureError) -> Hardware {
    func check(_ code: CInt, _ step: String) throws(CaptureError) {
        if code < 0 { throw .formatRefused(device: request.device, reason: "\(step) (\(errorText(-code)))") }
    }
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
        throw .formatRefused(device: request.device, reason: "the sample formats \(names)")
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
        throw .formatAbsurd(format)
    }
    return Hardware(format: format, periodFrames: max(1, Int(period)), bufferFrames: max(1, Int(buffer)))
}

/// Wakes once a period, and stamps on the monotonic clock: ALSA's default is the wall clock, which jumps.
private func configureSoftware(_ pcm: OpaquePointer, periodFrames: Int, device: String) throws(CaptureError) {
    var allocated: OpaquePointer?
    snd_pcm_sw_params_malloc(&allocated)
    let parameters = allocated!
    defer { snd_pcm_sw_params_free(parameters) }
    snd_pcm_sw_params_current(pcm, parameters)
    snd_pcm_sw_params_set_avail_min(pcm, parameters, snd_pcm_uframes_t(periodFrames))
    snd_pcm_sw_params_set_tstamp_mode(pcm, parameters, SND_PCM_TSTAMP_ENABLE)
    snd_pcm_sw_params_set_tstamp_type(pcm, parameters, SND_PCM_TSTAMP_TYPE_MONOTONIC)
    let code = snd_pcm_sw_params(pcm, parameters)
    if code < 0 { throw .formatRefused(device: device, reason: "wake-ups and time stamps (\(errorText(-code)))") }
}
