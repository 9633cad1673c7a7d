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
    /// Of resuming a device that is not awake yet: a second in all.
    private static let resumeTries = 20

    /// - Throws: `absent`, `denied`, `busy`, `unreachable`, `failed`; `unsuitable` for what can never deliver.
    init(_ request: MicrophoneRequest) throws(DeviceTrouble) {
        let pcm = try openALSA(request.device)
        do {
            let hardware = try configureHardware(pcm, request)
            try configureSoftware(pcm, periodFrames: hardware.periodFrames)
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

    /// After an overrun, a suspend or a silence: makes the stream run again; what was not read is thrown away.
    func restart() -> CInt {
        if snd_pcm_state(pcm) == SND_PCM_STATE_SUSPENDED {
            var code = -EAGAIN
            for _ in 0..<Self.resumeTries where code == -EAGAIN {
                code = snd_pcm_resume(pcm)
                if code == -EAGAIN { usleep(50_000) }
            }
            // A resumed stream may run already, and starting it again is an error.
            if code == 0, snd_pcm_state(pcm) == SND_PCM_STATE_RUNNING { return 0 }
        } else {
            snd_pcm_drop(pcm)
        }
        let code = snd_pcm_prepare(pcm)
        return code == 0 ? snd_pcm_start(pcm) : code
    }

    /// What an error of waiting or reading means; nil for an overrun.
    func trouble(_ code: CInt) -> DeviceTrouble? {
        switch -code {
        case EPIPE: return nil
        case ESTRPIPE: return .suspended
        case ENODEV: return .unplugged
        default:
            if isUnplugged { return .unplugged }
            usleep(20_000)  // a read that is under way when the card goes fails before the state says so
            if isUnplugged { return .unplugged }
            // A plugin that fails stands before a server that has gone.
            return snd_pcm_type(pcm) == SND_PCM_TYPE_IOPLUG ? .unreachable : DeviceTrouble(opening: -code)
        }
    }

    /// True once it is unplugged, which waiting and reading report in several ways (EIO, EBADFD, ENODEV).
    private var isUnplugged: Bool { snd_pcm_state(pcm) == SND_PCM_STATE_DISCONNECTED }

    /// Stops at once; what was not read is thrown away.
    func stop() { snd_pcm_drop(pcm) }
}

private let silenced: Void = cshim_alsa_silence()

/// libasound2 would write to stderr what we say better in our errors.
func silenceALSA() { _ = silenced }

/// What ALSA knows of names and cards is read once in a process: read it anew for a card that has come since.
func forgetALSAConfiguration() { snd_config_update_free_global() }

/// A capture handle in non-blocking mode.
func openALSA(_ name: String) throws(DeviceTrouble) -> OpaquePointer {
    silenceALSA()
    var pcm: OpaquePointer?
    let code = snd_pcm_open(&pcm, name, SND_PCM_STREAM_CAPTURE, CInt(SND_PCM_NONBLOCK))
    if code == 0, let pcm { return pcm }
    switch -code {
    // A card that is not there makes some names invalid.
    case ENOENT, ENODEV, ENXIO, EINVAL: throw isDefined(name) ? .absent : .unsuitable(reason: "ALSA knows no such name")
    case let errno: throw DeviceTrouble(opening: errno)
    }
}

/// Whether ALSA's configuration has the name, whatever it stands for; a definition in its own right needs none.
private func isDefined(_ name: String) -> Bool {
    if name.hasPrefix("{") { return true }
    var configuration: OpaquePointer?
    guard snd_config_update_ref(&configuration) >= 0 else { return false }
    defer { snd_config_unref(configuration) }
    var found: OpaquePointer?
    return snd_config_search(configuration, "pcm.\(name.prefix { $0 != ":" })", &found) == 0
}
