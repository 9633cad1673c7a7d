package import Media

/// What a camera delivers, beside what was asked of it.
package struct CameraFormat: Sendable, Equatable {
    package var asked: CameraRequest
    /// The node that was opened: another than the one asked for if the camera came back under another number.
    package var device: String
    /// What the maker calls it.
    package var card: String
    /// Where it is plugged in.
    package var bus: String
    package var format: PixelFormat
    /// libv4l2 converts to `format` from what the camera has, which costs.
    package var isConverted: Bool
    package var size: PixelSize
    /// From one row to the next (of the Y plane); 0 for mjpeg.
    package var bytesPerRow: Int
    /// By the driver's word; nil if it has none.
    package var framesPerSecond: Double?

    /// Frames are left out to come down to the rate asked for.
    package var isThinned: Bool {
        guard let asked = asked.framesPerSecond, let given = framesPerSecond else { return false }
        return given > asked * 1.1  // nobody sees a tenth more
    }

    /// Bytes of a whole raw frame; 0 for mjpeg.
    package var frameBytes: Int {
        switch format {
        case .mjpeg: 0
        case .yuyv, .grey, .rgb24: bytesPerRow * size.height
        case .nv12: bytesPerRow * (size.height + (size.height + 1) / 2)
        }
    }
}

extension CameraFormat: CustomStringConvertible {
    package var description: String {
        let rate = framesPerSecond.map { "\(short($0)) frames/s" } ?? "an unknown rate"
        let converted = isConverted ? " (converted by libv4l2)" : ""
        var text = "\(device) (\(card)) gives \(format.rawValue)\(converted) \(size) at \(rate)"
        var differences: [String] = []
        if asked.device != device { differences.append(asked.device) }
        if let wanted = asked.size, wanted != size { differences.append("\(wanted)") }
        if let wanted = asked.framesPerSecond, framesPerSecond.map({ abs($0 - wanted) > wanted * 0.01 }) ?? true {
            differences.append("\(short(wanted)) frames/s" + (isThinned ? ", to which it is thinned" : ""))
        }
        text += differences.isEmpty ? ", as asked" : "; asked for: \(differences.joined(separator: ", "))"
        return text
    }
}

/// A rate without a fraction that is zero, with two digits at most.
private func short(_ rate: Double) -> String {
    let hundredths = (rate * 100).rounded() / 100
    return hundredths == hundredths.rounded() ? "\(Int(hundredths))" : "\(hundredths)"
}
