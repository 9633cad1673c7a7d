import Glibc

/// What delivers.
package enum DeviceKind: Sendable { case camera, microphone }

/// Why a device does not deliver.
package enum DeviceTrouble: Error, Equatable {
    /// There is nothing of that name.
    case absent
    /// We may not open it.
    case denied
    /// Another program has it.
    case busy
    /// The bus has no room for so much data.
    case bandwidth
    /// The sound server behind it does not answer.
    case unreachable
    /// The plug was pulled.
    case unplugged
    /// The machine slept, or the device's power was saved.
    case suspended
    /// A call of its driver, or of the library before its server, does not return.
    case stuck
    /// It is there and delivers nothing.
    case silent
    /// Reading from it failed, or a step of starting it.
    case failed(errno: CInt)
    /// It can never deliver: no such device can be, or it has no format that we read. `reason` has no full stop.
    case unsuitable(reason: String)

    /// Of what the driver said when it was opened, configured or read.
    init(opening errno: CInt) {
        self =
            switch errno {
            case ENOENT, ENODEV, ENXIO, ENOTDIR: .absent
            case EACCES, EPERM: .denied
            case EBUSY: .busy
            case ENOSPC: .bandwidth
            case ECONNREFUSED, ECONNRESET, ECONNABORTED, ENOTCONN, EHOSTDOWN: .unreachable
            default: .failed(errno: errno)
            }
    }

    /// What happened, then what to do.
    package func message(_ kind: DeviceKind, _ device: String) -> String {
        switch self {
        case .absent:
            "There is no \(kind) at '\(device)'. Plug it in, or name another: `narrator devices` lists them."
        case .denied:
            "Not permitted to open '\(device)'. Join the group '\(kind.group)', or change the permissions of the device."
        case .busy:
            "Another program is using '\(device)'. Close it" + (kind == .camera ? "." : ", or share it by `dsnoop`.")
        case .bandwidth where kind == .camera:
            "The bus has no room for the pictures of '\(device)'. Ask for `format: mjpeg`, a smaller `size` or fewer "
                + "`fps`, or plug it into another bus."
        case .bandwidth:
            "The bus has no room for the sound of '\(device)'. Plug it into another bus."
        case .unreachable:
            "The sound server behind '\(device)' does not answer. Start it, or name a device of the hardware: "
                + "`narrator devices` lists them."
        case .unplugged:
            "'\(device)' was unplugged. Plug it in again; if nobody pulled it, check its cable and power."
        case .suspended:
            "'\(device)' was suspended to save power. It is started again as soon as the machine lets it."
        case .stuck:
            "'\(device)' hangs: its driver or the sound server behind it does not answer. It is opened anew; if that does "
                + "not help, start the server again, or unplug it and plug it in again."
        case .silent:
            "'\(device)' has stopped delivering \(kind == .camera ? "whole pictures" : "sound"). If it does not come "
                + "back by itself, unplug it and plug it in again."
        case .failed(let errno):
            "'\(device)' failed (\(errorText(errno))). Check its cable and power."
        case .unsuitable(let reason):
            "'\(device)' cannot be used: \(reason). `narrator devices` lists what can."
        }
    }
}

extension DeviceKind {
    /// Whose members may open such a device.
    fileprivate var group: String {
        switch self {
        case .camera: "video"
        case .microphone: "audio"
        }
    }
}
