package import Media

/// What pixels are wanted.
package enum PictureChannels: Int, CaseIterable, Sendable {
    /// R, G, B.
    case rgb = 3
    /// Brightness as in BT.601, 0...255.
    case luma = 1
}

/// A decoded frame, and what there was to say about it.
package struct DecodedPicture: Sendable {
    /// Upright, maybe smaller than `fullSize`.
    package let picture: Picture
    /// The frame's whole size as it is shown.
    package let fullSize: PixelSize
    /// What was wrong with the data first; nil where the picture is whole. The rest of a damaged picture is gray.
    package let damage: String?

    package var isDamaged: Bool { damage != nil }
}

/// Makes pixels of frames; every frame is treated as hostile.
///
/// JPEGs are decoded by libjpeg-turbo and turned as their EXIF says. YUYV and NV12 are taken as BT.601 in limited
/// range (16...235), the default of V4L2, and come out in full range; a JPEG and grey are in full range anyway.
package struct PictureDecoder: Sendable {
    /// A larger JPEG comes at the first of 1/2, 1/4, 1/8 of its size that fits.
    package var maximumPixels = 64 << 20  // 192 MiB of R, G, B
    /// What a JPEG may claim at all: at 1/8 it still costs the time of all its blocks.
    package var maximumClaimedPixels = 256 << 20
    /// What a progressive JPEG's coefficients may take, and how many passes over them it may ask for.
    package var maximumCoefficientBytes = 192 << 20  // 64 megapixels in 4:2:0
    package var maximumScans = 100  // programs write up to 12

    package init() {}

    /// Decodes `frame`.
    ///
    /// - Parameter atLeast: what is needed of the picture as shown; a JPEG then may come at 1/2, 1/4 or 1/8 of its
    ///   size, never smaller than this in either direction and with less work and memory. nil: full size, where
    ///   `maximumPixels` allows it.
    /// - Throws: `SignalError.badPicture` for bytes that are no picture of the format, `pictureTooLarge`.
    package func decode(
        _ frame: VideoFrame, as channels: PictureChannels, atLeast: PixelSize? = nil
    ) throws(SignalError) -> DecodedPicture {
        if frame.format == .mjpeg { return try decode(jpeg: frame.bytes, as: channels, atLeast: atLeast) }
        let raw = try RawPicture(frame)
        return DecodedPicture(
            picture: channels == .rgb ? raw.rgb() : raw.luma(), fullSize: frame.size, damage: nil)
    }

    /// Decodes a whole JPEG; otherwise as `decode(_:as:atLeast:)`.
    package func decode(
        jpeg bytes: [UInt8], as channels: PictureChannels, atLeast: PixelSize? = nil
    ) throws(SignalError) -> DecodedPicture {
        let header = try JPEGHeader(of: bytes)
        let wanted = atLeast.map(header.orientation.shown)
        var scale =
            JPEGScale.allCases.last { scale in
                guard let wanted else { return scale == .full }
                let size = scale.size(of: header.storedSize)
                return size.width >= wanted.width && size.height >= wanted.height
            } ?? .full
        while scale.size(of: header.storedSize).pixels > maximumPixels, let smaller = scale.next { scale = smaller }
        let (picture, damage) = try decode(bytes, header, as: channels, scale)
        return DecodedPicture(
            picture: picture.oriented(header.orientation), fullSize: header.shownSize, damage: damage)
    }

    /// Luma at an eighth of the size, rounded up, as stored: what a change of view is measured on.
    ///
    /// Of a JPEG these are the means of its 8 × 8 blocks, taken without any transform; of raw formats box means.
    /// - Throws: as `decode`, and `SignalError.damagedPicture` for a JPEG that is not whole.
    package func eighthLuma(_ frame: VideoFrame) throws(SignalError) -> Picture {
        if frame.format != .mjpeg { return try RawPicture(frame).eighthLuma() }
        let (picture, damage) = try decode(frame.bytes, JPEGHeader(of: frame.bytes), as: .luma, .eighth)
        if let damage { throw .damagedPicture(reason: damage) }
        return picture
    }
}
