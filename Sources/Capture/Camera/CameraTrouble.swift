import Glibc

/// Why a camera does not deliver.
package enum CameraTrouble: Error, Equatable {
    /// There is no such node, or nothing behind it.
    case absent
    /// We may not open it.
    case denied
    /// Another program streams.
    case busy
    /// The bus has no room for so much data.
    case bandwidth
    /// The plug was pulled.
    case unplugged
    /// It is there and delivers nothing.
    case silent
    /// Reading from it failed, or a step of starting it.
    case failed(errno: CInt)
    /// It can never deliver: not a camera, or it has no format that we read. `reason` has no full stop.
    case unsuitable(reason: String)

    /// Of what the driver said when it was opened, configured or read.
    init(opening errno: CInt) {
        self =
            switch errno {
            case ENOENT, ENODEV, ENXIO, ENOTDIR: .absent
            case EACCES, EPERM: .denied
            case EBUSY: .busy
            case ENOSPC: .bandwidth
            default: .failed(errno: errno)
            }
    }

    /// What happened, then what to do.
    package func message(device: String) -> String {
        switch self {
        case .absent:
            "There is no camera at '\(device)'. Plug it in, or name another: `narrator devices` lists them."
        case .denied:
            "Not permitted to open '\(device)'. Join the group 'video', or change the permissions of the device."
        case .busy:
            "Another program is using '\(device)'. Close it."
        case .bandwidth:
            "The bus has no room for the pictures of '\(device)'. Ask for `format: mjpeg`, a smaller `size` or fewer "
                + "`fps`, or plug it into another bus."
        case .unplugged:
            "'\(device)' was unplugged. Plug it in again; if nobody pulled it, check its cable and power."
        case .silent:
            "'\(device)' has stopped delivering whole pictures. If it does not come back by itself, unplug it and plug "
                + "it in again."
        case .failed(let errno):
            "'\(device)' failed (\(errorText(errno))). Check its cable and power."
        case .unsuitable(let reason):
            "'\(device)' cannot be used: \(reason). `narrator devices` lists what can."
        }
    }
}
