/// What became of a camera's frames, since it was first opened. Every frame is counted in exactly one of `delivered`,
/// `damaged`, `empty`, `flagged`, `thinned` and `superseded`, but for one that waits to be taken.
package struct CameraStatistics: Sendable, Equatable {
    /// Buffers that the driver filled.
    package var frames = 0
    /// Taken by the reader.
    package var delivered = 0
    /// No JPEG from beginning to end, or fewer bytes than a raw picture has.
    package var damaged = 0
    /// Without a byte.
    package var empty = 0
    /// The driver itself said that they are damaged.
    package var flagged = 0
    /// Left out to come down to the rate that was asked for.
    package var thinned = 0
    /// Overwritten by a newer one before the reader came.
    package var superseded = 0
    /// Never delivered by the driver, by the gaps in its numbering.
    package var missingBySequence = 0
    /// The stream was stopped and started again, with the device open.
    package var restarts = 0
    /// The device was opened again.
    package var reopens = 0
    /// Of the driver, all frames counted, smoothed; 0 before the second.
    package var measuredFPS = 0.0

    package init() {}
}
