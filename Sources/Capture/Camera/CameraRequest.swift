package import Media

/// What is asked of a camera. All but the name are wishes: what came of them stands in `CameraFormat`.
package struct CameraRequest: Sendable, Equatable {
    /// A node such as `/dev/video0` or, better with several cameras, a name of `/dev/v4l/by-id`.
    package var device: String
    /// nil: near 1280x720 compressed and 640x480 raw, which is all a picture model can see.
    package var size: PixelSize?
    /// nil: what the camera gives by itself.
    package var framesPerSecond: Double?
    /// nil: the first of `PixelFormat.preferred` that it has.
    package var format: PixelFormat?

    package init(
        device: String = "/dev/video0", size: PixelSize? = nil, framesPerSecond: Double? = nil,
        format: PixelFormat? = nil
    ) {
        self.device = device
        self.size = size
        self.framesPerSecond = framesPerSecond
        self.format = format
    }
}

extension PixelFormat {
    /// Compressed first: over USB 2 a camera has no room for large raw pictures at any speed.
    package static let preferred: [PixelFormat] = [.mjpeg, .yuyv, .nv12, .grey, .rgb24]
}

/// What a size may be before anything is allocated for it.
package enum PictureLimits {
    package static let sides = 16...16_384
    package static let framesPerSecond = 0.1...1_000.0
}
