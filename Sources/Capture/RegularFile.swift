import Glibc

/// A read-only descriptor of a regular file that holds at least a byte.
/// - Parameter unfit: makes the error of a reason without a full stop.
/// - Throws: `fileMissing`, `notPermitted`, or what `unfit` makes.
func openRegularFile(_ path: String, unfit: (String) -> CaptureError) throws(CaptureError) -> CInt {
    // Non-blocking: opening a FIFO that nobody writes would otherwise wait for ever.
    let descriptor = CInt(retrying { Int(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) })
    guard descriptor >= 0 else {
        switch -descriptor {
        case ENOENT, ENOTDIR: throw .fileMissing(path: path)
        case EACCES, EPERM: throw .notPermitted(name: path)
        case let code: throw unfit(errorText(code).lowercased())
        }
    }
    if let reason = whyUnfit(descriptor) {
        close(descriptor)
        throw unfit(reason)
    }
    return descriptor
}

private func whyUnfit(_ descriptor: CInt) -> String? {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return errorText(errno).lowercased() }
    if status.st_mode & S_IFMT == S_IFDIR { return "it is a folder" }
    if status.st_mode & S_IFMT != S_IFREG { return "it is not a regular file" }
    return status.st_size == 0 ? "it is empty" : nil
}
