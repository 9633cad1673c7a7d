package import Capture
package import Events
import Media

/// The microphones and cameras of this machine as JSON: for `devices`, of the socket and of the command line.
package enum DeviceListing {
    /// What is there now.
    package static var now: JSONValue { wire(DeviceList.microphones(), DeviceList.cameras()) }

    package static func wire(_ microphones: [MicrophoneDescription], _ cameras: [CameraDescription]) -> JSONValue {
        ["microphones": .array(microphones.map(\.wire)), "cameras": .array(cameras.map(\.wire))]
    }
}

extension MicrophoneDescription {
    fileprivate var wire: JSONValue {
        var object: JSONObject = [
            "device": .string(name), "name": .string(label), "state": .string(state.rawValue),
            "formats": .array(formats.map { .string($0.rawValue) }), "rates_hz": .array(ratesHz.map { .int($0) })
        ]
        if let channels {
            object["channels_min"] = .int(channels.lowerBound)
            object["channels_max"] = .int(channels.upperBound)
        }
        return .object(object)
    }
}

extension CameraDescription {
    fileprivate var wire: JSONValue {
        [
            "device": .string(device), "name": .string(card), "bus": .string(bus), "state": .string(state.rawValue),
            "formats": .array(formats.map(wire)), "other_formats": .array(otherFormats.map { .string($0) })
        ]
    }

    private func wire(_ format: Format) -> JSONValue {
        [
            "format": .string(format.format.rawValue),
            "sizes": .array(
                format.sizes.map {
                    [
                        "width": .int($0.size.width), "height": .int($0.size.height),
                        "fps": .array($0.rates.map { .double($0) })
                    ]
                })
        ]
    }
}
